export type DatabaseName = 'MariaDB' | 'SQLite' | 'TiDB';

/** One number that an experiment found, and what it must be. */
export interface Figure {
  what: string;
  value: number;
  unit?: 'ms' | '%';
  atMost?: number;
  atLeast?: number;
  /** A latency that a busy machine may spoil: worth another try before it counts. */
  noisy?: boolean;
}

/** Where an experiment runs, and how long it may take. */
export interface Setting {
  database: DatabaseName;
  /** A new, empty database. */
  createUrl: () => Promise<string>;
  /** An empty directory. */
  scratch: string;
  /** A few rounds, for the tests; the whole count otherwise. */
  quick: boolean;
  progress: (text: string) => void;
}

export interface Experiment {
  name: string;
  on: readonly DatabaseName[];
  /** Servers of its own that keep the machine busy: not among the tests. Says what it lacks here, and null when nothing. */
  lacks?: () => string | null;
  run: (setting: Setting) => Promise<Figure[]>;
}

export function isWithin({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean {
  return value <= atMost && value >= atLeast;
}

/** `lost tokens 0 (≤ 0)` */
export function shown({ what, value, unit, atMost, atLeast }: Figure): string {
  const digits = value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value) ? 2 : 0;
  const number = (each: number, fraction = 0) => each.toLocaleString('en', { maximumFractionDigits: fraction });
  const bound =
    atMost !== undefined ? ` (≤ ${number(atMost, 1)})` : atLeast !== undefined ? ` (≥ ${number(atLeast, 1)})` : '';
  return `${what} ${number(value, digits)}${unit ? ` ${unit}` : ''}${bound}`;
}

/** The value below which this share of the samples lies; 0 of none. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
