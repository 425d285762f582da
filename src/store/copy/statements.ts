import { type SQL, sql } from 'drizzle-orm';
import { copyProgressTable } from '../migrations.ts';
import type { Row, Table, Value } from './tables.ts';

/** Statements that SQLite and MySQL both understand: Drizzle quotes the names as the database wants them. */

const named = (name: string) => sql.identifier(name);
const keyOf = ({ columns, key }: Table) => named(columns[key] ?? '');

/** In the order of the key's bytes, which is the same in both: openids are compared as ASCII, hashes as bytes. */
export function selectRows(table: Table, after: Value, limit: number): SQL {
  const columns = sql.join(table.columns.map(named), sql`, `);
  const from = after === null ? sql`` : sql`where ${keyOf(table)} > ${after}`;
  return sql`select ${columns} from ${named(table.name)} ${from} order by ${keyOf(table)} limit ${sql.raw(String(limit))}`;
}

export const countRows = (table: Table) => sql`select count(*) as n from ${named(table.name)}`;

/** Those behind `after`, up to and with `upTo`; null is the end. */
export function deleteRows(table: Table, after: Value, upTo: Value): SQL {
  const from = after === null ? sql`1 = 1` : sql`${keyOf(table)} > ${after}`;
  const to = upTo === null ? sql`` : sql`and ${keyOf(table)} <= ${upTo}`;
  return sql`delete from ${named(table.name)} where ${from} ${to}`;
}

/** Servers refuse a statement of several megabytes (max_allowed_packet). */
const maxStatementBytes = 1024 * 1024;

/** As many statements as their size asks for. */
export function insertRows(table: Table, rows: readonly Row[]): SQL[] {
  const groups: Row[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const size = row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (bytes + size > maxStatementBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(row);
    bytes += size;
  }
  const columns = sql.join(table.columns.map(named), sql`, `);
  return groups.map((group) => {
    const values = group.map(
      (row) =>
        sql`(${sql.join(
          row.map((value) => sql`${value}`),
          sql`, `,
        )})`,
    );
    return sql`insert into ${named(table.name)} (${columns}) values ${sql.join(values, sql`, `)}`;
  });
}

function sizeOf(value: Value): number {
  if (Buffer.isBuffer(value)) return value.length * 2;
  return typeof value === 'string' ? Buffer.byteLength(value) + 4 : 16;
}

const progress = named(copyProgressTable);
/** Where the progress goes together with the last step, so that there is no moment between the two. */
export const finishedProgressTable = `${copyProgressTable}_finished`;

export const createProgress = sql`create table if not exists ${progress} (name varchar(64) primary key, position varchar(160) not null)`;
export const dropFinishedProgress = sql`drop table if exists ${named(finishedProgressTable)}`;
export const selectProgress = sql`select name, position from ${progress}`;

export function setProgress(name: string, position: string | null): SQL[] {
  const forget = sql`delete from ${progress} where name = ${name}`;
  return position === null
    ? [forget]
    : [forget, sql`insert into ${progress} (name, position) values (${name}, ${position})`];
}
