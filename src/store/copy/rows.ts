import { countRows, selectRows } from './statements.ts';
import { type Row, type Table, type Tables, toValue, type Value } from './tables.ts';

/** The next rows behind a key, in the order of the keys. */
export async function read(side: Tables, table: Table, after: Value, limit: number): Promise<Row[]> {
  const rows = await side.all(selectRows(table, after, limit));
  return rows.map((row) => table.columns.map((column) => toValue(row[column])));
}

export async function countOf(side: Tables, table: Table): Promise<number> {
  const [row] = await side.all(countRows(table));
  return Number(row?.n ?? 0);
}

/** A primary key as text that both kinds of database keep exactly. */
export function toPosition(key: Value): string {
  return Buffer.isBuffer(key) ? `bytes ${key.toString('hex')}` : `text ${String(key)}`;
}

export function fromPosition(position: string): string | Buffer {
  const [, kind, key = ''] = /^(bytes|text) (.*)$/.exec(position) ?? [];
  return kind === 'bytes' ? Buffer.from(key, 'hex') : key;
}
