import { readFile, writeFile } from 'node:fs/promises';
import { root } from './build.ts';
import { chart } from './chart.ts';
import type { Results } from './report.ts';

/** Puts the tables of a run between the two marks of docs/performance.md, and draws its picture. */
export async function publish(tables: string, results: Results): Promise<void> {
  const file = `${root}docs/performance.md`;
  const text = await readFile(file, 'utf8');
  const [start, end] = ['<!-- results -->', '<!-- end of results -->'];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${start} before ${end}`);
  const picture = `![Processor time per request, in the phone's form and the plain one](images/performance.svg)`;
  await writeFile(file, `${text.slice(0, from)}${start}\n\n${picture}\n\n${tables}\n${text.slice(to)}`);
  await writeFile(`${root}docs/images/performance.svg`, chart(results));
}
