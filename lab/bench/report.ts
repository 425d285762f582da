import { connections, type Figure, median, type Sample } from './measure.ts';
import type { Window, WindowName } from './windows.ts';

/** By contestant, in the order of the rounds: the n-th samples of all were taken one after the other. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;
export type Results = ReadonlyMap<WindowName, Samples>;

/** Above this the highest ratio of the rounds is too far from the lowest to be quoted. */
const maxSpread = 1.35;

export interface Ratio {
  median: number;
  lowest: number;
  highest: number;
  isNoisy: boolean;
}

/** A figure of one contestant over that of another, of the same round each. */
export function ratio(samples: Samples, name: string, field: Figure, over = 'floor'): Ratio {
  return ratioOf(samples.get(name) ?? [], samples.get(over) ?? [], field);
}

/** The same of any two rows of figures. */
export function ratioOf<Name extends string>(
  above: readonly Readonly<Record<Name, number>>[],
  below: readonly Readonly<Record<Name, number>>[],
  field: Name,
): Ratio {
  const ratios = above.map((figures, round) => figures[field] / (below[round]?.[field] ?? Number.NaN));
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
  ['harnessUs', 'bench µs', 0],
  ['memoryMb', 'MB', 0],
] as const satisfies readonly (readonly [Figure, string, number])[];

/** What the others are set against: the floor, or without it the first other build; undefined where there is neither. */
function baseOf(names: readonly string[]): string | undefined {
  return names.find((name) => name === 'floor') ?? names.find((name) => name.startsWith('beside'));
}

/** One window: medians, and under them the ratios with their spread, as Markdown. */
export function table({ title, seconds }: Pick<Window, 'title' | 'seconds'>, samples: Samples): string {
  const names = [...samples.keys()];
  const base = baseOf(names);
  const rows = [...samples].map(([name, taken]) => [
    name,
    ...columns.map(([field, , digits]) => median(taken.map((sample) => sample[field])).toFixed(digits)),
  ]);
  const ratios = (base === undefined ? [] : names)
    .filter((name) => name !== base)
    .map((name) => [`${name} ÷ ${base}`, ...columns.map(([field]) => shown(ratio(samples, name, field, base)))]);
  const [first = []] = samples.values();
  const heading = ['', ...columns.map(([, text]) => text)];
  return `**${title}**, ${connections} connections, ${first.length} rounds of ${seconds} s\n\n${aligned([heading, ...rows, ...ratios])}\n`;
}

/** All windows: what a request costs the server, by itself and beside the floor, as Markdown. */
export function overview(windows: readonly { name: WindowName; title: string }[], results: Results): string {
  const [first = new Map<string, never>()] = results.values();
  const names = [...first.keys()];
  const base = baseOf(names);
  const others = base === undefined ? [] : names.filter((name) => name !== base);
  const rows = windows.map(({ name: window, title }) => {
    const samples: Samples = results.get(window) ?? new Map();
    const serverUs = names.map((name) => median((samples.get(name) ?? []).map((sample) => sample.serverUs)).toFixed(0));
    return [title, ...serverUs, ...others.map((name) => shown(ratio(samples, name, 'serverUs', base)))];
  });
  const heading = ['server µs a request', ...names, ...others.map((name) => `${name} ÷ ${base}`)];
  return `${aligned([heading, ...rows])}\n`;
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
