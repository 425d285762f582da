import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/** V8 takes these at the start of a process only. See docs/decisions/033. */
const flags = ['--max-semi-space-size=16', '--no-memory-reducer'];

/** `guoke start`: the server in this process, or in a second one where this one was started without V8's flags. */
export async function run(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  if (!flags.every((flag) => process.execArgv.includes(flag))) return startAgain();
  if (process.channel) {
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel.unref();
  }
  await import('../main.ts');
}

/**
 * Starts Node once more, with the flags. The second process has a group of its own, so that a Ctrl-C reaches it once,
 * through the first; it stops when the first is gone.
 */
function startAgain(): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, ...flags, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      process.exitCode = code ?? 1;
      resolve();
    });
  });
}
