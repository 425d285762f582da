import type { Contestant } from './contestants.ts';
import type { Target } from './load.ts';
import { cpuUs, type Load, rssMb } from './processes.ts';
import { needsCode } from './requests.ts';

export const connections = 32;
/** One measured window of one contestant. Processor times are for each request. */
export interface Sample {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  serverUs: number;
  databaseUs: number;
  /** What the load generator and the stand-in had: the bench's own share of the machine. */
  harnessUs: number;
  memoryMb: number;
  /** One of its answers, with the head. */
  answer: string;
}
export type Figure = Exclude<keyof Sample, 'answer'>;

export interface Bench {
  load: Load;
  standinUrl: string;
  standinPid: number;
  /** null: the database is in the server's own process. */
  databasePid: number | null;
  /** Whose logins these are, all over the table in every window. */
  users: number;
}

/** More than any server answers here: codes that are left over cost nothing. */
const maxCallsPerSecond = { 'auth.login': 4500, 'auth.checkUser': 8000, 'user.me': 0 };

/** Runs the load for some seconds, and sets the processor time of both processes against the requests. */
export async function measure(
  { load, standinUrl, standinPid, databasePid, users }: Bench,
  contestants: Contestant | readonly Contestant[],
  { seconds, ...target }: Target & { seconds: number },
): Promise<Sample> {
  const servers = [contestants].flat();
  const { request } = target;
  if (needsCode(request)) {
    const count = Math.ceil(maxCallsPerSecond[request.procedure] * seconds);
    await load.prepare({ standinUrl, users, count, request });
  }
  const times = () =>
    [
      servers.reduce((sum, { pid }) => sum + cpuUs(pid), 0),
      databasePid === null ? 0 : cpuUs(databasePid),
      cpuUs(load.pid) + cpuUs(standinPid),
    ] as const;
  const before = times();
  const urls = servers.map(({ url }) => url);
  const { requests, failures, failure, ...measured } = await load.run({ ...target, urls, seconds, connections });
  const after = times();
  if (failures > 0) throw new Error(`${servers[0]?.name}: ${failures} of ${requests} requests failed: ${failure}`);
  return {
    requestsPerSecond: requests / measured.seconds,
    p50Ms: measured.p50Ms,
    p99Ms: measured.p99Ms,
    serverUs: (after[0] - before[0]) / requests,
    databaseUs: (after[1] - before[1]) / requests,
    harnessUs: (after[2] - before[2]) / requests,
    memoryMb: Math.max(...servers.map(({ pid }) => rssMb(pid))),
    answer: measured.answer,
  };
}

/** So many logins and half as many look-ups, or as many as go in some seconds. */
export async function warmUp(bench: Bench, contestant: Contestant, logins: number): Promise<void> {
  for (const [procedure, count] of [
    ['auth.login', logins],
    ['user.me', logins / 2],
  ] as const) {
    const request = { procedure, form: 'phone', calls: 1 } as const;
    let done = 0;
    for (let seconds = 0; done < count && seconds < 12; seconds += 2) {
      done += (await measure(bench, contestant, { request, seconds: 2 })).requestsPerSecond * 2;
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
