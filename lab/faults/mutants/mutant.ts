import type { Change } from './changes.ts';
import { named, parse } from './syntax.ts';

/** One small mistake in the source, of which a test has to know. */
export interface Mutant {
  /** What is true with the mistake: a sentence. */
  what: string;
  file: string;
  /** What the place stands in, from the outside in: `createTokens.verify`. The whole file where it is empty. */
  in: string;
  change: Change;
  /** Test files of which one has to fail. */
  tests: readonly string[];
}

type Row = readonly [what: string, within: string, change: Change, tests?: readonly string[]];

/** Mutants of one file: each row is one; the tests are those of the file unless the row names its own. */
export function mutantsOf(file: string, tests: readonly string[], rows: readonly Row[]): Mutant[] {
  return rows.map(([what, within, change, own = tests]) => ({ what, file, in: within, change, tests: own }));
}

/** The source with the mistake in it. Throws where its place is not found, or found more than once. */
export function mutate({ file, in: path, what, change }: Omit<Mutant, 'tests'>, source: string): string {
  try {
    const names = path === '' ? [] : path.split('.');
    const scope = names.reduce(named, parse(file, source));
    const { start, end, text } = change(scope, source);
    const mutated = source.slice(0, start) + text + source.slice(end);
    if (mutated === source) throw new Error('it changes nothing');
    parse(file, mutated);
    return mutated;
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`no place for “${what}” in ${file}${path && `, ${path}`}: ${message}`, { cause });
  }
}
