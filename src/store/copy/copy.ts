import { StoreError } from '../store.ts';
import { compare } from './compare.ts';
import { openMysqlTables } from './mysql.ts';
import { fromPosition, toPosition } from './position.ts';
import { openSqliteTables } from './sqlite.ts';
import { countOf, read } from './rows.ts';
import {
  createProgress,
  deleteRows,
  dropProgress,
  insertRows,
  progressTable,
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
    await target.migrate();
    const positions = await begin(target);
    for (const table of source.tables) {
      await copyTable(source, target, table, positions.get(table.name), { onProgress, batchSize });
    }
    const tables = [];
    for (const table of source.tables) tables.push(await compare(source, target, table, onProgress));
    await target.all(dropProgress);
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

/** How far an earlier run has come. Refuses a target that somebody else has filled. */
async function begin(target: Tables): Promise<Map<string, string>> {
  if (!(await target.names()).includes(progressTable)) {
    for (const table of target.tables) {
      if ((await countOf(target, table)) === 0) continue;
      throw refused('TARGET_NOT_EMPTY', `${table.name} has rows already: copy into an empty database`);
    }
    await target.all(createProgress);
  }
  const rows = await target.all(selectProgress);
  return new Map(rows.map(({ name, position }) => [String(name), String(position)]));
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
  let copied = after === null ? 0 : await countOf(target, table);
  for (;;) {
    const rows = await read(source, table, after, batchSize);
    const last = rows.at(-1)?.[table.key] ?? null;
    const isEnd = rows.length < batchSize;
    // Whatever stands in this stretch of keys, from an earlier run perhaps, is replaced.
    await target.transaction([
      deleteRows(table, after, isEnd ? null : last),
      ...insertRows(table, rows),
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
