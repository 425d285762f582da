import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { mutants } from '../../lab/faults/mutants/catalogue/all.ts';
import {
  type Change,
  removeArgument,
  removeElement,
  removeIf,
  removeOperand,
  removeProperty,
  removeStatement,
  setBody,
  setCall,
  setOperator,
  setTemplateText,
  setValue,
} from '../../lab/faults/mutants/changes.ts';
import { mutate } from '../../lab/faults/mutants/mutant.ts';

const root = path.resolve(import.meta.dirname, '../..');

// `npm run mutants` makes them and runs their tests, which takes most of an hour.
describe('the mistakes that the tests have to notice', () => {
  test.each([...new Set(mutants.map(({ file }) => file))])('have their places in %s, each one', (file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    for (const mutant of mutants) if (mutant.file === file) expect(mutate(mutant, source)).not.toBe(source);
  });

  test('have tests that are there, and are told apart by their words', () => {
    const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
    expect(tests.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
    const words = mutants.map(({ file, what }) => `${file}: ${what}`);
    expect(words.filter((each, index) => words.indexOf(each) !== index)).toEqual([]);
  });
});

describe('a place in the syntax tree', () => {
  const source = `
    const limit = 5;
    export function take(count: number, { max = limit } = {}) {
      if (count > max || count < 0) throw new Error('no room');
      if (count === 0) return [];
      log({ count, at: now(), names: ['a', 'b'] });
      return sql\`select \${count} where count >= 1\`;
    }
    const give = (count: number) => take(count, { max: 1 });
  `;
  const changed = (change: Change, within = 'take') => mutate({ file: 'a.ts', in: within, what: 'x', change }, source);

  test.each<[string, Change, string, string]>([
    ['an if', removeIf('max'), "if (count > max || count < 0) throw new Error('no room');", ';'],
    ['a statement', removeStatement('log'), "log({ count, at: now(), names: ['a', 'b'] });", ';'],
    ['an operand', removeOperand('max'), 'count > max || count < 0', 'count < 0'],
    ['an operator', setOperator('>', '>=', 'max'), 'count > max', 'count >= max'],
    ['a property', removeProperty('at'), 'count, at: now(), names', 'count, names'],
    ['the last property', removeProperty('names'), "at: now(), names: ['a', 'b'] }", 'at: now() }'],
    ['an element', removeElement('a'), "['a', 'b']", "['b']"],
    ['a call', setCall('Error', 'wrapped($$, $0)'), "new Error('no room')", "wrapped(new Error('no room'), 'no room')"],
    ['a default', setValue('max', '$$ + 1'), 'max = limit', 'max = limit + 1'],
    ['the text of a template', setTemplateText('>= 1', '> 1'), 'count >= 1', 'count > 1'],
  ])('%s is found by what it is and what stands in it', (_, change, from, to) => {
    expect(changed(change)).toBe(source.replace(from, to));
  });

  test('is looked for in what has the name', () => {
    expect(changed(removeArgument('take', 1), 'give')).toBe(source.replace('take(count, { max: 1 })', 'take(count)'));
    expect(changed(setBody('[]'), 'give')).toBe(source.replace('take(count, { max: 1 })', '[]'));
  });

  test.each<[string, Change, string?]>([
    ['that is not there', removeIf('maximum')],
    ['of which there are two', removeIf('count')],
    ['in a function that was renamed', removeIf('max'), 'taken'],
    ['whose change changes nothing', setOperator('>', '>', 'max')],
    ['whose change is not a program', setCall('log', 'log(')],
    ['with an argument that is not there', removeArgument('log', 3)],
  ])('%s fails loudly, with the words of the mistake and its file', (_, change, within) => {
    expect(() => changed(change, within)).toThrow(/^no place for “x” in a\.ts, take/);
  });
});
