import { parseSync, visitorKeys } from 'oxc-parser';

/** A node of the syntax tree: ESTree's, with TypeScript's beside it. */
export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

/** Types do not run: what stands in them is no place for a mistake, and mentions nothing. */
const isOfTypes = (type: string) =>
  /^TS(?:TypeAnnotation|TypeParameter|InterfaceDeclaration|TypeAliasDeclaration)/.test(type);

/** The tree of a file. Throws where the text does not parse: a mistake of ours has to be a program. */
export function parse(file: string, source: string): SyntaxNode {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error) throw new Error(`${file} does not parse: ${error.message}`);
  return program as unknown as SyntaxNode;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children = (visitorKeys[node.type] ?? []).flatMap((key) => [node[key]].flat());
  return children.filter((child) => isNode(child) && !isOfTypes(child.type)) as SyntaxNode[];
}

/** The child in a field; throws where there is none, which is a mistake in a selector of ours. */
export function childIn(node: SyntaxNode, field: string): SyntaxNode {
  const child = node[field];
  if (!isNode(child)) throw new Error(`a ${node.type} has no ${field}`);
  return child;
}

/** The nodes of a list, such as the arguments of a call. */
export function childrenIn(node: SyntaxNode, field: string): SyntaxNode[] {
  return [node[field]].flat().filter(isNode);
}

/** The node and all below it. */
export function* within(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const child of childrenOf(node)) yield* within(child);
}

/** The word that a node is: a name, the value of a literal, the pattern of a regular expression. null for other nodes. */
export function wordOf(node: SyntaxNode): string | null {
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return String(node['name']);
  if (node.type !== 'Literal') return null;
  const { regex } = node as { regex?: { pattern: string } };
  return regex ? regex.pattern : String(node['value']);
}

/** Whether each of these words stands in the node. */
export function mentions(node: SyntaxNode, words: readonly string[]): boolean {
  const left = new Set(words);
  for (const inner of within(node)) left.delete(wordOf(inner) ?? '');
  return left.size === 0;
}

/** The name that a declaration, a method or a property gives to what it holds; null for other nodes. */
function nameOf(node: SyntaxNode): string | null {
  const field = { VariableDeclarator: 'id', FunctionDeclaration: 'id', Property: 'key', MethodDefinition: 'key' }[
    node.type
  ];
  // `{ name }` hands on what is declared elsewhere.
  return field === undefined || node['shorthand'] === true ? null : wordOf(childIn(node, field));
}

/** What has this name: the outermost, since a name may come again within. Throws unless it is one. */
export function named(scope: SyntaxNode, name: string): SyntaxNode {
  const found = [...within(scope)].filter((node) => node !== scope && nameOf(node) === name);
  const [only, ...others] = found.filter((node) => !found.some((outer) => outer !== node && holds(outer, node)));
  if (!only || others.length > 0) throw new Error(`${name} is declared ${others.length + (only ? 1 : 0)} times`);
  return only;
}

function holds(outer: SyntaxNode, inner: SyntaxNode): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** The smallest of these nodes; throws unless there is one that holds no other, and only one. */
export function theOne(candidates: readonly SyntaxNode[], description: string): SyntaxNode {
  const [only, ...others] = candidates.filter(
    (node) => !candidates.some((inner) => inner !== node && holds(node, inner)),
  );
  if (!only) throw new Error(`there is no ${description}`);
  if (others.length > 0) throw new Error(`there are ${others.length + 1} of: ${description}`);
  return only;
}
