import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
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
/** What a copy is made without: what is large, and linked instead, and what is made anew. */
const leftOut: ReadonlySet<string> = new Set(['node_modules', '.git', '.data', 'dist', 'artifacts']);

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const chosen = mutants.filter(({ what, file }) => `${file} ${what}`.includes(values.only));

if (values.help) console.log(help);
else if (values.list) console.log(chosen.map(({ file, what }) => `${file}: ${what}`).join('\n'));
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
    for (const part of await readdir(root)) {
      if (!leftOut.has(part)) await cp(path.join(root, part), path.join(copy, part), { recursive: true });
    }
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
  let files = [...new Set(chosen.flatMap(({ tests }) => tests))];
  console.log(`${chosen.length} mutants; first the tests without one: ${files.length} files`);
  for (let tries = 0; tries < 3; tries++) {
    const { outcome, failures, output } = await runTests(copy, files, { bail: false });
    if (outcome === 'passed') return true;
    console.log(`These tests fail by themselves:\n${failures.join('\n') || output}`);
    files = files.filter((file) => failures.some((failure) => failure.startsWith(file)));
    if (files.length === 0) return false;
  }
  return false;
}

async function tryOne(copy: string, { what, file, tests }: Mutant, number: string): Promise<boolean> {
  const from = performance.now();
  const { outcome, failures } = await runTests(copy, tests, { bail: true });
  const seconds = Math.round((performance.now() - from) / 1000);
  const verdict = { passed: 'SURVIVED', failed: 'caught', 'does not run': 'NO PROGRAM' }[outcome];
  console.log(
    `${number} ${verdict.padEnd(10)} ${file}: ${what} [${seconds} s]${failures[0] ? ` by: ${failures[0]}` : ''}`,
  );
  return outcome === 'failed';
}
