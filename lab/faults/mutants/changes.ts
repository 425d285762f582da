import { childIn, childrenIn, childrenOf, mentions, type SyntaxNode, theOne, within, wordOf } from './syntax.ts';

/** A stretch of the source and what takes its place. */
interface Edit {
  start: number;
  end: number;
  text: string;
}

/**
 * Finds the one place in the scope that it changes, by what the place is and which words stand in it. Throws where there is
 * no such place, or more than one: of several that lie within one another the smallest is meant.
 */
export type Change = (scope: SyntaxNode, source: string) => Edit;

const textOf = (source: string, { start, end }: SyntaxNode) => source.slice(start, end);
const described = (what: string, words: readonly string[]) =>
  words.length === 0 ? what : `${what} with ${words.join(', ')}`;

/** Changes of the smallest node of a kind that mentions all of the words. */
function change(
  what: string,
  words: readonly string[],
  isMeant: (node: SyntaxNode) => boolean,
  edit: (node: SyntaxNode, source: string) => Edit,
): Change {
  return (scope, source) => {
    const candidates = [...within(scope)].filter((node) => isMeant(node) && mentions(node, words));
    return edit(theOne(candidates, described(what, words)), source);
  };
}

const replaced = ({ start, end }: SyntaxNode, text: string): Edit => ({ start, end, text });

const plainStatements = new Set(['ExpressionStatement', 'ReturnStatement', 'ThrowStatement']);

/** A statement is another one: an expression, a `return` or a `throw`. */
export function setStatement(code: string, ...words: readonly string[]): Change {
  return change(
    'statement',
    words,
    ({ type }) => plainStatements.has(type),
    (node) => replaced(node, code),
  );
}

/** The statement is not there. */
export function removeStatement(...words: readonly string[]): Change {
  return setStatement(';', ...words);
}

/** What is awaited is begun, and not waited for. */
export function removeAwait(...words: readonly string[]): Change {
  return change(
    'await',
    words,
    ({ type }) => type === 'AwaitExpression',
    (node, source) => replaced(node, `void ${textOf(source, childIn(node, 'argument'))}`),
  );
}

/** The `if` whose condition mentions the words is not there, nor what it guards. */
export function removeIf(...words: readonly string[]): Change {
  return change(
    'if',
    words,
    (node) => node.type === 'IfStatement' && mentions(childIn(node, 'test'), words),
    (node) => replaced(node, ';'),
  );
}

/** The condition of an `if`, a `?:` or a loop is another one. */
export function setCondition(code: string, ...words: readonly string[]): Change {
  return (scope, source) => {
    const tests = [...within(scope)].flatMap((node) => childrenIn(node, 'test'));
    const chosen = theOne(
      tests.filter((node) => mentions(node, words)),
      described('condition', words),
    );
    return replaced(chosen, filled(code, [], source, chosen));
  };
}

/** Both sides of each `&&`, `||` and `??`, with the expression that they are a side of. */
function operandsIn(scope: SyntaxNode): { operand: SyntaxNode; other: SyntaxNode; whole: SyntaxNode }[] {
  return [...within(scope)]
    .filter(({ type }) => type === 'LogicalExpression')
    .flatMap((whole) => {
      const [left, right] = [childIn(whole, 'left'), childIn(whole, 'right')];
      return [
        { operand: left, other: right, whole },
        { operand: right, other: left, whole },
      ];
    });
}

/** One side of an `&&`, an `||` or a `??` is not there. */
export function removeOperand(...words: readonly string[]): Change {
  return (scope, source) => {
    const operands = operandsIn(scope).filter(({ operand }) => mentions(operand, words));
    const chosen = theOne(
      operands.map(({ operand }) => operand),
      described('operand', words),
    );
    const { other, whole } = operands.find(({ operand }) => operand === chosen) ?? {};
    if (!other || !whole) throw new Error('an operand without a whole');
    return replaced(whole, textOf(source, other));
  };
}

/** One side of an `&&`, an `||` or a `??` is another one. */
export function setOperand(code: string, ...words: readonly string[]): Change {
  return (scope, source) => {
    const operands = operandsIn(scope).map(({ operand }) => operand);
    const chosen = theOne(
      operands.filter((operand) => mentions(operand, words)),
      described('operand', words),
    );
    return replaced(chosen, filled(code, [], source, chosen));
  };
}

/** A comparison, a sum or a logical expression has another operator. */
export function setOperator(from: string, to: string, ...words: readonly string[]): Change {
  return change(
    `expression by ${from}`,
    words,
    ({ type, operator }) => (type === 'BinaryExpression' || type === 'LogicalExpression') && operator === from,
    (node, source) => {
      const [left, right] = [childIn(node, 'left'), childIn(node, 'right')];
      return { start: left.end, end: right.start, text: source.slice(left.end, right.start).replace(from, to) };
    },
  );
}

const isCallOf = (name: string) => (node: SyntaxNode) => {
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return false;
  const callee = childIn(node, 'callee');
  return wordOf(callee.type === 'MemberExpression' ? childIn(callee, 'property') : callee) === name;
};

/** A call, or a `new`, is another expression, in which `$0` is its first argument, `$1` the second, `$$` the call itself. */
export function setCall(name: string, code: string, ...words: readonly string[]): Change {
  return change(`call of ${name}`, words, isCallOf(name), (node, source) =>
    replaced(node, filled(code, childrenIn(node, 'arguments'), source, node)),
  );
}

/** An argument of a call, or of a `new`, is another one; `$$` in the code is the one it was. */
export function setArgument(name: string, index: number, code: string, ...words: readonly string[]): Change {
  return change(`call of ${name}`, words, isCallOf(name), (node, source) => {
    const argument = childrenIn(node, 'arguments')[index];
    if (!argument) throw new Error(`${name} has no argument ${index}`);
    return replaced(argument, filled(code, [], source, argument));
  });
}

/** An argument of a call is not there. */
export function removeArgument(name: string, index: number, ...words: readonly string[]): Change {
  return change(`call of ${name}`, words, isCallOf(name), (node) =>
    removedFrom(childrenIn(node, 'arguments'), index, `${name} has no argument ${index}`),
  );
}

/** The properties of objects, not those of patterns, with the others of their object. */
function propertyIn(scope: SyntaxNode, name: string, words: readonly string[]) {
  const objects = [...within(scope)].filter(({ type }) => type === 'ObjectExpression').map(childrenOf);
  const isMeant = (node: SyntaxNode) =>
    node.type === 'Property' && wordOf(childIn(node, 'key')) === name && mentions(node, words);
  const property = theOne(objects.flat().filter(isMeant), described(`property ${name}`, words));
  return { property, siblings: objects.find((properties) => properties.includes(property)) ?? [] };
}

/** A property of an object has another value; `$$` in the code is the one it had. */
export function setProperty(name: string, code: string, ...words: readonly string[]): Change {
  return (scope, source) => {
    const { property } = propertyIn(scope, name, words);
    const key = textOf(source, childIn(property, 'key'));
    return replaced(property, `${key}: ${filled(code, [], source, childIn(property, 'value'))}`);
  };
}

/** A property is not in its object. */
export function removeProperty(name: string, ...words: readonly string[]): Change {
  return (scope) => {
    const { property, siblings } = propertyIn(scope, name, words);
    return removedFrom(siblings, siblings.indexOf(property), name);
  };
}

/** What has a name, a constant or the default of a parameter, has another value; `$$` in the code is the one it had. */
export function setValue(name: string, code: string): Change {
  const fieldOf: Readonly<Record<string, readonly [string, string]>> = {
    VariableDeclarator: ['id', 'init'],
    AssignmentPattern: ['left', 'right'],
    AssignmentExpression: ['left', 'right'],
  };
  return (scope, source) => {
    const values = [...within(scope)].flatMap((node) => {
      const [key, value] = fieldOf[node.type] ?? [];
      return key && value && wordOf(childIn(node, key)) === name ? childrenIn(node, value) : [];
    });
    const value = theOne(values, `value of ${name}`);
    return replaced(value, filled(code, [], source, value));
  };
}

/** A literal is another expression: a number, a text, or a regular expression, which its pattern names. */
export function setLiteral(literal: string, code: string): Change {
  return change(
    `literal ${literal}`,
    [],
    (node) => node.type === 'Literal' && wordOf(node) === literal,
    (node) => replaced(node, code),
  );
}

/** The element of a list that mentions the words is not there. */
export function removeElement(...words: readonly string[]): Change {
  return (scope) => {
    const lists = [...within(scope)].filter(({ type }) => type === 'ArrayExpression').map(childrenOf);
    const element = theOne(
      lists.flat().filter((node) => mentions(node, words)),
      described('element', words),
    );
    const siblings = lists.find((list) => list.includes(element)) ?? [];
    return removedFrom(siblings, siblings.indexOf(element), 'an element');
  };
}

/** A function does this and nothing else. */
export function setBody(code: string): Change {
  return (scope) => {
    const functions = [...within(scope)].filter(({ type }) => /Function(?:Declaration|Expression)$/.test(type));
    const [outermost] = functions;
    if (!outermost) throw new Error('there is no function');
    const body = childIn(outermost, 'body');
    return replaced(body, body.type === 'BlockStatement' ? `{ ${code} }` : code);
  };
}

/** The text of a template, such as SQL, has this part, once, and it is another one. */
export function setTemplateText(from: string, to: string): Change {
  return (scope, source) => {
    const parts = [...within(scope)].filter(({ type }) => type === 'TemplateElement');
    const part = theOne(
      parts.filter((node) => textOf(source, node).includes(from)),
      `template with ${from}`,
    );
    const text = textOf(source, part);
    if (text.split(from).length !== 2) throw new Error(`${from} stands in one template more than once`);
    return replaced(
      part,
      text.replace(from, () => to),
    );
  };
}

/** `$$` is the node itself, `$0` and so on are the arguments. */
function filled(code: string, args: readonly SyntaxNode[], source: string, self: SyntaxNode | undefined): string {
  return code.replace(/\$(\$|\d)/g, (_, index: string) => {
    const node = index === '$' ? self : args[Number(index)];
    if (!node) throw new Error(`there is nothing for $${index}`);
    return textOf(source, node);
  });
}

/** With the comma on one of its sides. */
function removedFrom(siblings: readonly SyntaxNode[], index: number, missing: string): Edit {
  const [before, node, after] = [siblings[index - 1], siblings[index], siblings[index + 1]];
  if (!node) throw new Error(missing);
  if (after) return { start: node.start, end: after.start, text: '' };
  return { start: before?.end ?? node.start, end: node.end, text: '' };
}
