import { createHash } from 'node:crypto';
import { StoreError } from '../store.ts';
import { countOf, read } from './rows.ts';
import { setProgress } from './statements.ts';
import type { OnProgress, Row, Table, Tables, Value } from './tables.ts';

/** Reads both sides; `copied` is the table of the target. Rejects when they differ, after which the next copy begins that table again. */
export async function compare(
  source: Tables,
  target: Tables,
  { table, copied }: { table: Table; copied: Table },
  onProgress: OnProgress,
) {
  const total = 2 * (await countOf(source, table));
  const here = await digest(source, table, (rows) => onProgress('compare', table.name, rows, total));
  const there = await digest(target, copied, (rows) => onProgress('compare', table.name, here.rows + rows, total));
  if (here.rows === there.rows && here.sha256 === there.sha256) return { name: table.name, ...here };
  await target.transaction(setProgress(table.name, null));
  const counts = here.rows === there.rows ? 'rows differ' : `${here.rows} rows here, ${there.rows} there`;
  const what = `${table.name}: ${counts}; stop what writes to the source, and run this again`;
  throw new StoreError('unexpected', 'COPY_DIFFERS', undefined, what);
}

/** Both kinds give the same row in the same order, so the same text. */
async function digest(side: Tables, table: Table, onBatch: (rows: number) => void) {
  const hash = createHash('sha256');
  let rows = 0;
  let after: Value = null;
  for (;;) {
    const batch: Row[] = await read(side, table, after, 500);
    for (const row of batch) {
      hash.update(
        `${JSON.stringify(row.map((value) => (Buffer.isBuffer(value) ? [value.toString('base64')] : value)))}\n`,
      );
    }
    rows += batch.length;
    onBatch(rows);
    after = batch.at(-1)?.[table.key] ?? null;
    if (batch.length < 500) return { rows, sha256: hash.digest('hex') };
  }
}
