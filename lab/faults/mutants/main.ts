import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutants } from './catalogue/all.ts';
import { type Mutant, mutate } from './mutant.ts';
import { runTests } from './run-tests.ts';

const help = `npm run mutants [-- options]

Makes one small mistake in the source at a time, in a copy of it, and runs the tests that are to notice it.
Ends with 1 when one of them does not.

  --only <text>   only the mutants whose file or words hold this text
  --list          names them, and runs nothing
  --help          this`;

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** What the tests of a mutant need; never the shared tree itself. */
const parts = ['src', 'test', 'lab', 'drizzle', 'packages', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const chosen = mutants.filter(({ what, file }) => `${file} ${what}`.includes(values.only));

if (values.help) console.log(help);
else if (values.list) for (const { file, what } of chosen) console.log(`${file}: ${what}`);
else if (chosen.length === 0) {
  console.error(`There is no mutant with “${values.only}” in its file or words: see --list`);
  process.exitCode = 1;
} else process.exitCode = (await runAll()) ? 0 : 1;

/** Whether all are caught. */
async function runAll(): Promise<boolean> {
  // Before anything is copied: a place that has moved is a mistake of the list.
  const sources = new Map<string, string>();
  for (const { file } of chosen) sources.set(file, await readFile(path.join(root, file), 'utf8'));
  const mutated = chosen.map((mutant) => ({ mutant, source: mutate(mutant, sources.get(mutant.file) ?? '') }));

  const parent = await mkdtemp(path.join(tmpdir(), 'guoke-mutants-'));
  const copy = path.join(parent, 'guoke');
  const missed: string[] = [];
  try {
    for (const part of parts) await cp(path.join(root, part), path.join(copy, part), { recursive: true });
    await symlink(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
    if (!(await areSound(copy))) return false;
    for (const [index, { mutant, source }] of mutated.entries()) {
      const place = path.join(copy, mutant.file);
      await writeFile(place, source);
      const isCaught = await tryOne(copy, mutant, `${String(index + 1).padStart(3)}/${chosen.length}`);
      await writeFile(place, sources.get(mutant.file) ?? '');
      if (!isCaught) missed.push(`${mutant.file}: ${mutant.what}`);
    }
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
  console.log(missed.length === 0 ? `all ${chosen.length} caught` : `${missed.length} of ${chosen.length} NOT CAUGHT`);
  for (const each of missed) console.log(`  ${each}`);
  return missed.length === 0;
}

/** Whether the tests pass as long as there is no mistake; a busy machine fails one now and then. */
async function areSound(copy: string): Promise<boolean> {
  const all = [...new Set(chosen.flatMap(({ tests }) => tests))];
  console.log(`${chosen.length} mutants; first the tests without one: ${all.length} files`);
  let run = await runTests(copy, all);
  for (let again = 0; again < 2 && run.outcome !== 'passed'; again++) run = await runTests(copy, all);
  if (run.outcome === 'passed') return true;
  console.log(`These tests fail by themselves:\n${run.output.split('\n').slice(-60).join('\n')}`);
  return false;
}

async function tryOne(copy: string, { what, file, tests }: Mutant, number: string): Promise<boolean> {
  const from = performance.now();
  const { outcome, failed } = await runTests(copy, tests);
  const seconds = Math.round((performance.now() - from) / 1000);
  const verdict = { passed: 'SURVIVED', failed: 'caught', 'does not run': 'NO PROGRAM' }[outcome];
  console.log(`${number} ${verdict.padEnd(10)} ${file}: ${what} [${seconds} s]${failed ? ` by: ${failed}` : ''}`);
  return outcome === 'failed';
}
