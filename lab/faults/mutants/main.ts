import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Mutant, mutants } from './mutants.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** What the tests of a mutant need; never the shared tree itself. */
const parts = ['src', 'test', 'lab', 'drizzle', 'packages', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

const { values } = parseArgs({
  options: {
    /** Only those whose file or words hold this text. */
    only: { type: 'string', default: '' },
  },
});
const chosen = mutants.filter(({ what, file }) => `${file} ${what}`.includes(values.only));

const parent = await mkdtemp(path.join(tmpdir(), 'guoke-mutants-'));
const copy = path.join(parent, 'guoke');
let survived = 0;
try {
  for (const part of parts) await cp(path.join(root, part), path.join(copy, part), { recursive: true });
  await symlink(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));

  const all = [...new Set(chosen.flatMap(({ tests }) => tests))];
  console.log(`${chosen.length} mutants; first the tests without one: ${all.length} files`);
  let sound = await runTests(all);
  // A busy machine fails a test now and then.
  for (let again = 0; again < 2 && !sound.passed; again++) sound = await runTests(all);
  if (!sound.passed) {
    console.log(`These tests fail by themselves:\n${sound.output.split('\n').slice(-60).join('\n')}`);
    survived = chosen.length;
  } else {
    for (const [index, mutant] of chosen.entries()) survived += (await isCaught(mutant, index + 1)) ? 0 : 1;
  }
} finally {
  await rm(parent, { recursive: true, force: true });
}
console.log(survived === 0 ? `all ${chosen.length} caught` : `${survived} of ${chosen.length} NOT CAUGHT`);
process.exitCode = survived === 0 ? 0 : 1;

async function isCaught(mutant: Mutant, number: number): Promise<boolean> {
  const file = path.join(copy, mutant.file);
  const source = await readFile(file, 'utf8');
  const from = performance.now();
  const say = (verdict: string) => {
    const seconds = Math.round((performance.now() - from) / 1000);
    console.log(
      `${String(number).padStart(2)}/${chosen.length} ${verdict.padEnd(9)} ${mutant.file}: ${mutant.what} [${seconds} s]`,
    );
  };
  if (source.split(mutant.find).length !== 2) {
    say('NO PLACE');
    return false;
  }
  await writeFile(
    file,
    source.replace(mutant.find, () => mutant.replace),
  );
  const { passed } = await runTests(mutant.tests);
  await writeFile(file, source);
  say(passed ? 'SURVIVED' : 'caught');
  return !passed;
}

async function runTests(files: readonly string[]): Promise<{ passed: boolean; output: string }> {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--bail=1', ...files], {
    cwd: copy,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { passed: code === 0, output };
}
