import { aligned, type Ratio, ratio, ratioOf, type Results, shown } from './report.ts';

/** What docs/performance.md promises of one run. */
interface Goal {
  what: string;
  value: string;
  isMet: boolean;
}

const maxMemoryMb = 160;

/** What a run with all contestants and windows says of the goals, as Markdown. */
export function goalTable(results: Results): string {
  const rows = goals(results).map(({ what, value, isMet }) => [what, value, isMet ? 'met' : 'missed']);
  return `${aligned([['aim', 'this run', ''], ...rows])}\n`;
}

function goals(results: Results): Goal[] {
  const of = (window: Parameters<Results['get']>[0]) => results.get(window) ?? new Map();
  const atMost = (bound: number, what: string, found: Ratio): Goal => ({
    what: `${what} ≤ ${bound}`,
    value: shown(found),
    isMet: found.median <= bound,
  });
  const atLeast = (bound: number, what: string, found: Ratio): Goal => ({
    what: `${what} ≥ ${bound}`,
    value: shown(found),
    isMet: found.median >= bound,
  });
  const [burst, login, checkUser] = [of('burst'), of('login'), of('checkUser')];
  const [me, five] = [of('me'), of('five')].map((samples) => samples.get('guoke') ?? []);
  const memoryMb = Math.max(
    ...[...results.values()].flatMap((samples) => samples.get('guoke') ?? []).map((sample) => sample.memoryMb),
  );
  return [
    atMost(0.95, 'phone, `auth.login`: processor time ÷ floor', ratio(login, 'guoke', 'serverUs')),
    atMost(0.95, 'phone, `auth.login` in bursts: processor time ÷ floor', ratio(burst, 'guoke', 'serverUs')),
    atMost(0.95, 'phone, `auth.checkUser`: processor time ÷ floor', ratio(checkUser, 'guoke', 'serverUs')),
    atMost(1.1, 'phone, `user.me`: processor time ÷ floor', ratio(of('me'), 'guoke', 'serverUs')),
    atMost(2.5, 'phone, five `user.me` in a batch: processor time ÷ one', ratioOf(five ?? [], me ?? [], 'serverUs')),
    atMost(1, 'plain, `auth.login`: processor time ÷ floor', ratio(of('plain-login'), 'guoke', 'serverUs')),
    atMost(0.4, 'phone, `auth.login`: database ÷ floor', ratio(login, 'guoke', 'databaseUs')),
    atMost(1.15, 'phone, `auth.login`: p99 ÷ floor', ratio(login, 'guoke', 'p99Ms')),
    atLeast(1.2, 'phone, `auth.login`: throughput ÷ Fastify', ratio(login, 'guoke', 'requestsPerSecond', 'fastify')),
    atLeast(3.5, 'phone, `auth.login`: throughput ÷ Express', ratio(login, 'guoke', 'requestsPerSecond', 'express')),
    atLeast(
      4,
      'phone, `auth.login` in bursts: throughput ÷ Express',
      ratio(burst, 'guoke', 'requestsPerSecond', 'express'),
    ),
    { what: `memory ≤ ${maxMemoryMb} MB`, value: `${memoryMb.toFixed(0)} MB`, isMet: memoryMb <= maxMemoryMb },
  ];
}
