import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measured, Order } from './load.ts';

/** Linux counts the processor time of a process in ticks of 10 ms. */
const usPerTick = 10_000;

/** Microseconds of processor time, in user and kernel, that a process has had so far. */
export function cpuUs(pid: number): number {
  // The second field is the program's name in brackets, which may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * usPerTick;
}

/** Megabytes of memory that a process has in use. */
export function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface Started {
  pid: number;
  /** The line of its output that said so. */
  line: string;
  startupMs: number;
  stop(): Promise<void>;
}

/** Starts a Node program and resolves once its output, which goes to a file, has `ready` in it. */
export async function startNode(
  nodeArguments: readonly string[],
  env: Record<string, string>,
  ready: string,
): Promise<Started> {
  const startedAt = performance.now();
  const log = path.join(await mkdtemp(path.join(tmpdir(), 'guoke-bench-')), 'log');
  const output = await open(log, 'w');
  const child = spawn(process.execPath, [...nodeArguments], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', output.fd, 'inherit'],
  });
  await output.close();
  children.add(child);
  const gone = once(child, 'exit');
  let line: string | undefined;
  while (!(line = (await readFile(log, 'utf8')).split('\n').find((text) => text.includes(ready)))) {
    if (child.exitCode !== null) throw new Error(`${nodeArguments.join(' ')} ended with ${child.exitCode}`);
    await sleep(5);
  }
  return {
    pid: child.pid ?? 0,
    line,
    startupMs: performance.now() - startedAt,
    async stop() {
      children.delete(child);
      child.kill('SIGKILL');
      await gone;
      await rm(path.dirname(log), { recursive: true });
    },
  };
}

export interface Load {
  pid: number;
  /** Mints codes, and profiles where the request has them, at the stand-in, in place of those left over. */
  prepare(order: Omit<Extract<Order, { kind: 'prepare' }>, 'kind'>): Promise<void>;
  run(order: Omit<Extract<Order, { kind: 'run' }>, 'kind'>): Promise<Measured>;
  stop(): void;
}

/** The load generator, in a process of its own. */
export function startLoad(file: string): Load {
  const child = fork(file, [], { stdio: 'inherit', serialization: 'json', execArgv: [] });
  children.add(child);
  async function ask(order: Order): Promise<unknown> {
    const answered = once(child, 'message');
    child.send(order);
    const [{ result, error }] = (await answered) as [{ result?: unknown; error?: string }];
    if (error !== undefined) throw new Error(error);
    return result;
  }
  return {
    pid: child.pid ?? 0,
    prepare: async (order) => void (await ask({ kind: 'prepare', ...order })),
    run: async (order) => (await ask({ kind: 'run', ...order })) as Measured,
    stop: () => void child.kill(),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
