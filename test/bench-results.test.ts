import { cp, mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { inChinese } from '../lab/bench/chinese.ts';
import { goalTable } from '../lab/bench/goals.ts';
import { publish } from '../lab/bench/publish.ts';
import { overview, type Results, type Samples, table } from '../lab/bench/report.ts';
import { windows } from '../lab/bench/windows.ts';

const docs = path.resolve(import.meta.dirname, '../docs');

function readBoth(folder: string): Promise<string[]> {
  return Promise.all(['performance.md', 'zh/performance.md'].map((name) => readFile(path.join(folder, name), 'utf8')));
}

/** What `npm run bench -- --publish` writes. */
function publishedIn(text = ''): string {
  return /<!-- results -->\n\n([^]*)\n<!-- end of results -->/.exec(text)?.[1] ?? '';
}

/** The numbers of every table, row by row. */
function figuresIn(text = ''): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((row) => row.match(/\d+(?:[.,]\d+)*/g) ?? []);
}

function sampleOf(factor: number) {
  return {
    requestsPerSecond: 1000 * factor,
    p50Ms: 10 * factor,
    p99Ms: 20 * factor,
    serverUs: 400 * factor,
    databaseUs: 100 * factor,
    harnessUs: 50 * factor,
    memoryMb: 100 * factor,
    answer: '',
  };
}

/** A run with every contestant and window: ratios that are noisy and not, goals that are met and missed. */
function createRun(): { tables: string; results: Results } {
  const samples: Samples = new Map(
    ['floor', 'guoke', 'fastify', 'express', 'beside1'].map((name, index) => [
      name,
      [sampleOf(1), sampleOf(1 + index), sampleOf(name === 'fastify' ? 6 : 1 + index)],
    ]),
  );
  const results: Results = new Map(windows.map(({ name }) => [name, samples]));
  const tables = [
    '2026-11-27, Node v24.0.0, 2 × Some Processor, with 2 cores, 11.2 minutes.\n',
    overview(windows, results),
    goalTable(results),
    ...windows.map((window) => table(window, samples)),
  ].join('\n');
  return { tables, results };
}

describe('docs/zh/performance.md', () => {
  test('holds the published results of the English document, under Chinese labels', async () => {
    const [english, chinese] = await readBoth(docs);
    expect(publishedIn(english)).toContain('| guoke ');
    expect(publishedIn(chinese)).toBe(inChinese(publishedIn(english)));
  });

  test('holds the figures of all tables of the English document', async () => {
    const [english, chinese] = await readBoth(docs);
    expect(figuresIn(english).flat().length).toBeGreaterThan(300);
    expect(figuresIn(chinese)).toEqual(figuresIn(english));
  });
});

test('a published run replaces the results in both documents, and nothing else', async () => {
  const folder = await mkdtemp(path.join(inject('scratch'), 'published-'));
  await cp(docs, folder, { recursive: true });
  const before = await readBoth(folder);
  const { tables, results } = createRun();
  await publish(tables, results, `${folder}/`);
  const after = await readBoth(folder);
  expect(after[0]).toContain(tables);
  expect(publishedIn(after[1])).toBe(inChinese(publishedIn(after[0])));
  const rest = (text: string) => text.replace(publishedIn(text), '');
  expect(after.map(rest)).toEqual(before.map(rest));
});

describe('the results in Chinese', () => {
  test('have a label for everything that a run prints', () => {
    const { tables } = createRun();
    for (const word of ['noisy', 'missed', ' met ', 'bench µs']) expect(tables).toContain(word);
    const translated = inChinese(tables);
    expect(figuresIn(translated)).toEqual(figuresIn(tables));
    expect(translated).not.toMatch(/noisy|missed|phone|plain|server|connections/);
    expect(translated).toContain('2026-11-27，Node v24.0.0，2 × Some Processor, with 2 cores，11.2 分钟。');
  });

  test('refuse a label that they do not know', () => {
    expect(() => inChinese('| floor | some new column |')).toThrow('some new column');
    expect(() => inChinese('A sentence.')).toThrow('A sentence.');
  });
});
