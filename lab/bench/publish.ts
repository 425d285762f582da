import { readFile, writeFile } from 'node:fs/promises';
import { root } from './build.ts';
import { chart } from './chart.ts';
import { inChinese } from './chinese.ts';
import type { Results } from './report.ts';

/** Puts the tables of a run between the two marks of docs/performance.md and of its Chinese twin, and draws their picture. */
export async function publish(tables: string, results: Results, docs = `${root}docs/`): Promise<void> {
  const picture = `![Processor time per request, in the phone's form and the plain one](images/performance.svg)`;
  const english = `${picture}\n\n${tables}`;
  const chinese = inChinese(english);
  await replaceResults(`${docs}performance.md`, english);
  await replaceResults(`${docs}zh/performance.md`, chinese);
  await writeFile(`${docs}images/performance.svg`, chart(results));
}

async function replaceResults(file: string, results: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [start, end] = ['<!-- results -->', '<!-- end of results -->'];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${start} before ${end}`);
  await writeFile(file, `${text.slice(0, from)}${start}\n\n${results}\n${text.slice(to)}`);
}
