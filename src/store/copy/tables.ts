import type { SQL } from 'drizzle-orm';

/** A value as both kinds of database hold it. */
export type Value = string | number | Buffer | null;

/** A row's values in the order of its table's columns. */
export type Row = readonly Value[];

export interface Table {
  name: string;
  columns: readonly string[];
  /** The position of the primary key among the columns. */
  key: number;
}

/** A database as a copy sees it: tables, and statements that both kinds understand. */
export interface Tables {
  /** Ours, as the schema of this version has them. */
  tables: readonly Table[];
  /** Names of all tables that are there. */
  names(): Promise<string[]>;
  migrate(): Promise<void>;
  /** All of them or none; each is an old name and a new one. */
  rename(names: readonly (readonly [string, string])[]): Promise<void>;
  all(statement: SQL): Promise<Record<string, unknown>[]>;
  /** All of them or none. */
  transaction(statements: readonly SQL[]): Promise<void>;
  close(): Promise<void>;
}

/** Told after each batch, in rows; a comparison reads both sides. */
export type OnProgress = (step: 'copy' | 'compare', table: string, done: number, total: number) => void;

interface Column {
  name: string;
  primary: boolean;
}

export function tableOf(name: string, columns: readonly Column[]): Table {
  const key = columns.findIndex(({ primary }) => primary);
  if (key === -1) throw new Error(`${name} has no primary key of one column`);
  return { name, columns: columns.map((column) => column.name), key };
}

/** libsql gives bytes as an ArrayBuffer, mysql2 as a Buffer. */
export function toValue(raw: unknown): Value {
  if (raw instanceof ArrayBuffer) return Buffer.from(raw);
  if (raw instanceof Uint8Array) return Buffer.from(raw);
  if (raw === null || typeof raw === 'string' || typeof raw === 'number') return raw;
  throw new Error(`a ${typeof raw} in a row`);
}
