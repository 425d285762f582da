import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from './compiled.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Those that run. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Command {
  /** Every line of its standard output so far; of the server these are the log. */
  stdout: readonly string[];
  stderr: readonly string[];
  exit: Promise<Exit>;
  pid: number | undefined;
  /** Does nothing to one that has ended. */
  kill(signal?: NodeJS.Signals): void;
  /** The first line of its standard output that fits, past ones included. Rejects when it ends without one. */
  line(fits: RegExp): Promise<string>;
}

export type ServerProcess = Awaited<ReturnType<typeof startServerProcess>>;

/**
 * Runs a file of src/ as a process of its own, with this environment and no other, PATH aside. It is killed when the
 * tests end; call `kill` before.
 */
export function runCommand(file: string, env: Readonly<Record<string, string>>, args: readonly string[] = []): Command {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    [...nodeArguments(file), ...args],
    { cwd: root, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.add(child);
  const stdout: string[] = [];
  const stderr: string[] = [];
  const lines = createInterface(child.stdout).on('line', (line) => stdout.push(line));
  createInterface(child.stderr).on('line', (line) => stderr.push(line));
  // `close`, not `exit`: by then all of the output is here.
  const exit = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    children.delete(child);
    return { code, signal } as Exit;
  });

  return {
    stdout,
    stderr,
    exit,
    pid: child.pid,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    line: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = stdout.find((line) => fits.test(line));
          if (found !== undefined) resolve(found);
        };
        lines.on('line', look);
        look();
        void exit.then(({ code, signal }) =>
          reject(new Error(`${file} ended (${signal ?? code}):\n${[...stdout, ...stderr].slice(-20).join('\n')}`)),
        );
      }),
  };
}

/**
 * Starts src/main.ts on a free port, and resolves when it serves, or as soon as it listens: where its database is away.
 * Rejects with its last words when it ends instead.
 */
export async function startServerProcess(env: Readonly<Record<string, string>>, { untilReady = true } = {}) {
  const command = runCommand('src/main.ts', { PORT: '0', ...env });
  const line = await command.line(/"msg":"listening"/);
  const { url }: { url: string } = JSON.parse(line);
  const deadline = performance.now() + 30_000;
  while (untilReady && (await fetch(`${url}/readyz`)).status !== 200) {
    if (performance.now() > deadline) throw new Error(`not ready after 30 s:\n${command.stdout.slice(-20).join('\n')}`);
    await sleep(20);
  }
  return { ...command, url };
}
