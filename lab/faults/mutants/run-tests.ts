import { spawn } from 'node:child_process';
import { once } from 'node:events';

interface TestRun {
  /** `does not run`: a name that is not there or a program that does not parse, which proves nothing of the tests. */
  outcome: 'passed' | 'failed' | 'does not run';
  /** The tests that failed, as the runner names them: the file first. */
  failures: string[];
  output: string;
}

/** A mistake may make something wait for ever, and the test with it. */
const maxMs = 10 * 60_000;

/** Runs test files in a copy of the project; with `bail` up to the first test that fails. */
export async function runTests(
  directory: string,
  files: readonly string[],
  { bail }: { bail: boolean },
): Promise<TestRun> {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', `--bail=${Number(bail)}`, ...files], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill(), maxMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  const failures = [...output.matchAll(/^ *FAIL +(.+)$/gm)].map(([, name = '']) => name);
  const isBroken = /^(?:ReferenceError|SyntaxError): /m.test(output);
  return { outcome: code === 0 ? 'passed' : isBroken ? 'does not run' : 'failed', failures, output };
}
