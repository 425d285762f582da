import { copyProgressTable } from '../migrations.ts';
import { StoreError } from '../store.ts';
import { compare } from './compare.ts';
import { openMysqlTables } from './mysql.ts';
import { openSqliteTables } from './sqlite.ts';
import { countOf, fromPosition, read, toPosition } from './rows.ts';
import {
  createProgress,
  deleteRows,
  dropFinishedProgress,
  finishedProgressTable,
  insertRows,
  selectProgress,
  setProgress,
} from './statements.ts';
import type { OnProgress, Table, Tables, Value } from './tables.ts';

interface CopyOptions {
  /** Both as in DATABASE_URL. */
  from: string;
  to: string;
  /** Called after each batch. */
  onProgress?: OnProgress;
  batchSize?: number;
}

export interface Copied {
  tables: readonly { name: string; rows: number; sha256: string }[];
  /** Tables of the source that are not ours, and were not copied. */
  left: readonly string[];
}

const done = 'done';

/**
 * Copies every row of our tables into an empty database, of the same kind or the other, and compares both afterwards,
 * row by row. Called again after an interruption it goes on where it was. Rejects with a StoreError: when the target
 * has rows that are not a copy's, and when both differ in the end because the source was in use.
 */
export async function copyDatabase({ from, to, onProgress = () => {}, batchSize = 200 }: CopyOptions): Promise<Copied> {
  if (from === to) throw refused('SAME_DATABASE', 'source and target are the same database');
  const source = await openTables(from, { create: false });
  const target = await openTables(to, { create: true });
  try {
    await source.migrate();
    const positions = await begin(target);
    for (const table of source.tables) {
      await copyTable(source, target, table, positions.get(table.name), { onProgress, batchSize });
    }
    const tables = [];
    for (const table of source.tables) {
      tables.push(await compare(source, target, { table, copied: aside(table) }, onProgress));
    }
    await bringBack(target);
    const ours = new Set(tables.map(({ name }) => name));
    // Names with two underscores are those of migrations.
    const left = (await source.names()).filter((name) => !ours.has(name) && !name.startsWith('__'));
    return { tables, left };
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

async function openTables(databaseUrl: string, options: { create: boolean }): Promise<Tables> {
  if (databaseUrl.startsWith('mysql:')) return openMysqlTables(databaseUrl);
  if (databaseUrl.startsWith('file:')) return await openSqliteTables(databaseUrl, options);
  throw refused('DATABASE_URL_INVALID', 'it must begin with file: or mysql:');
}

/**
 * Where a table of the target stands until the copy is whole: no server finds it there, not even one that runs already: the
 * copy would replace what that server writes.
 */
const aside = (table: Table): Table => ({ ...table, name: `${copyProgressTable}_${table.name}` });

/** How far an earlier run has come. Refuses a target with rows that no copy has put there. */
async function begin(target: Tables): Promise<Map<string, string>> {
  const isNew = !(await target.names()).includes(copyProgressTable);
  if (isNew) {
    await target.all(dropFinishedProgress);
    await target.migrate();
    await refuseRows(target, target.tables);
    await target.all(createProgress);
  }
  const rows = await target.all(selectProgress);
  const names = await target.names();
  const standing = target.tables.filter(({ name }) => names.includes(name));
  if (standing.length > 0) {
    await target.rename(standing.map((table) => [table.name, aside(table).name]));
    // A server may have written since they were counted. From here on it cannot.
    if (rows.length === 0) {
      await refuseRows(target, standing.map(aside)).catch(async (error: unknown) => {
        await bringBack(target);
        throw error;
      });
    }
  }
  return new Map(rows.map(({ name, position }) => [String(name), String(position)]));
}

async function refuseRows(target: Tables, tables: readonly Table[]): Promise<void> {
  for (const table of tables) {
    if ((await countOf(target, table)) === 0) continue;
    const name = table.name.replace(`${copyProgressTable}_`, '');
    throw refused('TARGET_NOT_EMPTY', `${name} has rows already: copy into an empty database`);
  }
}

/** Gives the tables their names, and ends the copy: in one step, after which servers may write. */
async function bringBack(target: Tables): Promise<void> {
  await target.rename([
    ...target.tables.map((table) => [aside(table).name, table.name] as const),
    [copyProgressTable, finishedProgressTable],
  ]);
  await target.all(dropFinishedProgress);
}

async function copyTable(
  source: Tables,
  target: Tables,
  table: Table,
  position: string | undefined,
  { onProgress, batchSize }: Required<Pick<CopyOptions, 'onProgress' | 'batchSize'>>,
): Promise<void> {
  if (position === done) return;
  const total = await countOf(source, table);
  let after: Value = position === undefined ? null : fromPosition(position);
  const copy = aside(table);
  let copied = after === null ? 0 : await countOf(target, copy);
  for (;;) {
    const rows = await read(source, table, after, batchSize);
    const last = rows.at(-1)?.[table.key] ?? null;
    const isEnd = rows.length < batchSize;
    // Whatever stands in this stretch of keys, from an earlier run perhaps, is replaced.
    await target.transaction([
      deleteRows(copy, after, isEnd ? null : last),
      ...insertRows(copy, rows),
      ...setProgress(table.name, isEnd ? done : toPosition(last)),
    ]);
    copied += rows.length;
    onProgress('copy', table.name, copied, total);
    if (isEnd) return;
    after = last;
  }
}

function refused(code: string, explanation: string): StoreError {
  return new StoreError('unexpected', code, undefined, explanation);
}
