import { median, type Sample } from './measure.ts';

/** By contestant, in the order of the rounds: the n-th samples of all were taken one after the other. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** Above this the highest ratio of the rounds is too far from the lowest to be quoted. */
const maxSpread = 1.35;

export interface Ratio {
  median: number;
  lowest: number;
  highest: number;
  isNoisy: boolean;
}

/** A figure of one contestant over that of another, of the same round each. */
export function ratio(samples: Samples, name: string, field: keyof Sample, over = 'floor'): Ratio {
  const base = samples.get(over) ?? [];
  const ratios = (samples.get(name) ?? []).map((sample, round) => sample[field] / (base[round]?.[field] ?? Number.NaN));
  // Of many rounds the outermost fifth on each side is left out: another process had the machine.
  const sorted = ratios
    .toSorted((a, b) => a - b)
    .slice(Math.floor(ratios.length / 5), ratios.length - Math.floor(ratios.length / 5));
  const [lowest = Number.NaN, highest = Number.NaN] = [sorted.at(0), sorted.at(-1)];
  return { median: median(ratios), lowest, highest, isNoisy: highest / lowest > maxSpread };
}

const columns = [
  ['requestsPerSecond', 'req/s', 0],
  ['p50Ms', 'p50 ms', 1],
  ['p99Ms', 'p99 ms', 1],
  ['serverUs', 'server µs', 0],
  ['databaseUs', 'database µs', 0],
  ['memoryMb', 'MB', 0],
] as const satisfies readonly (readonly [keyof Sample, string, number])[];

/** Medians, and under them the ratios to the floor with their spread, as Markdown. */
export function table(title: string, samples: Samples): string {
  const rows = [...samples].map(([name, taken]) => [
    name,
    ...columns.map(([field, , digits]) => median(taken.map((sample) => sample[field])).toFixed(digits)),
  ]);
  const ratios = [...samples.keys()]
    .filter((name) => name !== 'floor' && samples.has('floor'))
    .map((name) => [`${name} ÷ floor`, ...columns.map(([field]) => shown(ratio(samples, name, field)))]);
  return `\n${title}\n\n${aligned([['', ...columns.map(([, heading]) => heading)], ...rows, ...ratios])}`;
}

export function shown({ median: middle, lowest, highest, isNoisy }: Ratio): string {
  return `${middle.toFixed(2)} (${lowest.toFixed(2)}–${highest.toFixed(2)})${isNoisy ? ' noisy' : ''}`;
}

export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map(
    (row) =>
      `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

export interface Goal {
  what: string;
  value: number;
  isMet: boolean;
  isNoisy: boolean;
}

/** The aims of docs/performance.md, from one run. */
export function goals(login: Samples, me: Samples): Goal[] {
  const atMost = (what: string, found: Ratio, bound: number): Goal => ({
    what: `${what} ≤ ${bound}`,
    value: found.median,
    isMet: found.median <= bound,
    isNoisy: found.isNoisy,
  });
  const atLeast = (what: string, found: Ratio, bound: number): Goal => ({
    what: `${what} ≥ ${bound}`,
    value: found.median,
    isMet: found.median >= bound,
    isNoisy: found.isNoisy,
  });
  const memoryMb = Math.max(
    ...[login, me].flatMap((samples) => samples.get('guoke') ?? []).map((sample) => sample.memoryMb),
  );
  return [
    atMost('auth.login: processor time ÷ floor', ratio(login, 'guoke', 'serverUs'), 1),
    atLeast('auth.login: throughput ÷ Fastify', ratio(login, 'guoke', 'requestsPerSecond', 'fastify'), 1.2),
    atLeast('auth.login: throughput ÷ Express', ratio(login, 'guoke', 'requestsPerSecond', 'express'), 4),
    atMost('auth.login: p99 ÷ floor', ratio(login, 'guoke', 'p99Ms'), 1.15),
    atMost('auth.login: database ÷ floor', ratio(login, 'guoke', 'databaseUs'), 0.4),
    { what: 'memory ≤ 160 MB', value: memoryMb, isMet: memoryMb <= 160, isNoisy: false },
    atMost('user.me: processor time ÷ floor', ratio(me, 'guoke', 'serverUs'), 0.9),
    atLeast('user.me: throughput ÷ floor', ratio(me, 'guoke', 'requestsPerSecond'), 1.25),
  ];
}
