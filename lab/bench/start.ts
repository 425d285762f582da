import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Entry, environment, startArguments } from './contestants.ts';
import { median } from './measure.ts';
import { cpuUs, freePort, rssMb } from './processes.ts';
import { createProgress } from './progress.ts';
import { aligned, ratioOf, shown } from './report.ts';

/** One start of one build, up to the first 200 of /readyz. */
interface Start {
  readyMs: number;
  /** Processor time. */
  cpuMs: number;
  memoryMb: number;
}

const maxRatio = 0.6;
const maxReadyMs = 60_000;

/** Starts the builds in turn on a SQLite database that each has made before. With two of them it judges the first by the second. */
export async function compareStarts(entries: readonly Entry[], rounds: number): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'guoke-bench-'));
  const starts = entries.map((entry) => ({ entry, taken: [] as Start[] }));
  const progress = createProgress(entries.length * (rounds + 1));
  // The first start of each makes its database, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < starts.length; turn++) {
      const each = starts[(turn + round) % starts.length];
      if (!each) continue;
      const start = await timeStart(each.entry, `file:${path.join(directory, `${each.entry.name}.db`)}`);
      if (round > 0) each.taken.push(start);
      progress.step(`${each.entry.name}, start ${round}`);
    }
  }
  await rm(directory, { recursive: true });

  const fields = ['readyMs', 'cpuMs', 'memoryMb'] as const;
  const rows = starts.map(({ entry, taken }) => [
    entry.name,
    ...fields.map((field) => median(taken.map((start) => start[field])).toFixed(0)),
  ]);
  const [ours, before] = starts;
  if (ours && before) {
    const ratios = fields.map((field) => shown(ratioOf(ours.taken, before.taken, field)));
    rows.push([`${ours.entry.name} ÷ ${before.entry.name}`, ...ratios]);
  }
  const heading = ['', 'first 200 of /readyz, ms', 'processor ms', 'MB'];
  console.log(`**Start** on an existing SQLite database, ${rounds} starts each\n\n${aligned([heading, ...rows])}\n`);
  if (!ours || !before) return;
  const found = ratioOf(ours.taken, before.taken, 'readyMs');
  const verdict = found.median <= maxRatio ? 'met' : 'missed';
  console.log(
    aligned([
      ['aim', 'this run', ''],
      [`start ÷ ${before.entry.name} ≤ ${maxRatio}`, shown(found), verdict],
    ]),
  );
}

async function timeStart({ file }: Entry, databaseUrl: string): Promise<Start> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, startArguments(file), {
    env: { PATH: process.env.PATH, ...environment({ port, databaseUrl, standinUrl: 'http://127.0.0.1:9' }) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}`);
      if (performance.now() - startedAt > maxReadyMs) throw new Error(`${file} is not ready after ${maxReadyMs} ms`);
      await sleep(3);
    }
    const { pid = 0 } = child;
    return { readyMs: performance.now() - startedAt, cpuMs: cpuUs(pid) / 1000, memoryMb: rssMb(pid) };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}
