import type { Contestant } from './contestants.ts';
import type { Target } from './load.ts';
import { cpuUs, type Load, rssMb } from './processes.ts';

export const connections = 32;
/** One measured window of one contestant. */
export interface Sample {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  serverUs: number;
  databaseUs: number;
  memoryMb: number;
}

export interface Bench {
  load: Load;
  standinUrl: string;
  /** null: the database is in the server's own process. */
  databasePid: number | null;
  /** Whose logins these are, all over the table in every window. */
  users: number;
}

/** Runs the load for some seconds, and sets the processor time of both processes against the requests. */
export async function measure(
  { load, standinUrl, databasePid, users }: Bench,
  contestants: Contestant | readonly Contestant[],
  target: Target,
  seconds: number,
  maxPerSecond = 4500,
): Promise<Sample> {
  const servers = [contestants].flat();
  if (target.sends === 'logins') await load.prepare({ standinUrl, users, count: Math.ceil(maxPerSecond * seconds) });
  const times = () =>
    [servers.reduce((sum, { pid }) => sum + cpuUs(pid), 0), databasePid === null ? 0 : cpuUs(databasePid)] as const;
  const before = times();
  const urls = servers.map(({ url }) => url);
  const { requests, failures, failure, ...measured } = await load.run({ urls, target, seconds, connections });
  const after = times();
  if (failures > 0) throw new Error(`${servers[0]?.name}: ${failures} of ${requests} requests failed: ${failure}`);
  return {
    requestsPerSecond: requests / measured.seconds,
    p50Ms: measured.p50Ms,
    p99Ms: measured.p99Ms,
    serverUs: (after[0] - before[0]) / requests,
    databaseUs: (after[1] - before[1]) / requests,
    memoryMb: Math.max(...servers.map(({ pid }) => rssMb(pid))),
  };
}

/** So many logins and half as many look-ups, or as many as go in some seconds. */
export async function warmUp(bench: Bench, contestant: Contestant, logins: number): Promise<void> {
  for (const [target, count] of [
    [contestant.login, logins],
    [contestant.me, logins / 2],
  ] as const) {
    let done = 0;
    for (let seconds = 0; done < count && seconds < 12; seconds += 2) {
      done += (await measure(bench, contestant, target, 2)).requestsPerSecond * 2;
    }
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
