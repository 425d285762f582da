import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Block, type Document, readDocument, root } from './support/markdown.ts';

const markdownIn = async (folder: string) =>
  (await readdir(path.join(root, folder))).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`);
const english = [...(await markdownIn('docs')), ...(await markdownIn('docs/decisions'))];
const pairs = [...english, 'SECURITY.md', 'CONTRIBUTING.md'].map((document) => ({ document, twin: twinOf(document) }));

describe.each(pairs.filter(({ twin }) => existsSync(path.join(root, twin))))('$document and $twin', (pair) => {
  const read = () => Promise.all([readDocument(pair.document), readDocument(pair.twin)]);

  test('the headings have the same levels in the same order', async () => {
    const [document, twin] = await read();
    expect(twin.headings.map(({ level }) => level)).toEqual(document.headings.map(({ level }) => level));
  });

  test('the blocks of code are equal, comments aside', async () => {
    const [document, twin] = await read();
    expect(twin.blocks.map(withoutComments)).toEqual(document.blocks.map(withoutComments));
  });

  test('the tables have the same rows and columns', async () => {
    const [document, twin] = await read();
    expect(twin.tables).toEqual(document.tables);
  });

  test('the images and the links within the project are the same', async () => {
    const [document, twin] = await read();
    const there = await Promise.all(within(pair.document, document.links).map(placeOf));
    const here = await Promise.all(within(pair.twin, twin.links).map(placeOf));
    expect(sorted(here)).toEqual(sorted(there));
    expect(sorted(within(pair.twin, twin.images).map(asEnglish))).toEqual(
      sorted(within(pair.document, document.images)),
    );
  });

  test('the link to a document that is in Chinese leads to the Chinese one', async () => {
    const [, twin] = await read();
    const inEnglish = within(pair.twin, twin.links.slice(1)).filter((target) => {
      const [file = ''] = target.split('#');
      return twinOf(file) !== file && existsSync(path.join(root, twinOf(file)));
    });
    expect(inEnglish).toEqual([]);
  });

  test('the line below the title links to the other language', async () => {
    const from = (document: string, to: string) => path.relative(path.dirname(document), to);
    const line = async (document: string) => (await readFile(path.join(root, document), 'utf8')).split('\n')[2];
    expect(await line(pair.document)).toBe(`[中文](${from(pair.document, pair.twin)})`);
    expect(await line(pair.twin)).toBe(`[English](${from(pair.twin, pair.document)})`);
  });
});

test('every document and every decision in docs/ has its Chinese twin', () => {
  expect(english.filter((document) => !existsSync(path.join(root, twinOf(document))))).toEqual([]);
});

/** Where the Chinese counterpart of a document is or would be; the path itself for what is not a document. */
function twinOf(file: string): string {
  if (file === 'README.md') return 'README.zh-CN.md';
  if (file.startsWith('docs/zh/')) return file;
  if (!file.endsWith('.md') || file === 'README.zh-CN.md') return file;
  return `docs/zh/${file.replace(/^docs\//, '')}`;
}

/** The English counterpart of a path: what both languages link to gets one name. */
function asEnglish(file: string): string {
  if (file === 'README.zh-CN.md') return 'README.md';
  const [, name] = /^docs\/zh\/(.+)$/.exec(file) ?? [];
  if (name === undefined) return file;
  return existsSync(path.join(root, `docs/${name}`)) ? `docs/${name}` : name;
}

/** Paths in the project, with their anchors; links to elsewhere are left out, and so are those to the other language. */
function within(document: string, targets: string[]): string[] {
  const other = document.startsWith('docs/zh/') ? asEnglish(document) : twinOf(document);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      const place = file === '' ? document : path.join(path.dirname(document), file);
      return anchor === undefined ? place : `${place}#${anchor}`;
    })
    .filter((target) => target !== other);
}

/** A link in words that both languages share: the English path, and which heading of that document is meant. */
async function placeOf(target: string): Promise<string> {
  const [file = '', anchor] = target.split('#');
  const isInBoth = [asEnglish(file), twinOf(asEnglish(file))].every((name) => existsSync(path.join(root, name)));
  if (anchor === undefined || !isInBoth) return asEnglish(file);
  const { headings }: Document = await readDocument(file);
  const place = headings.findIndex((heading) => heading.anchor === decodeURIComponent(anchor));
  return place < 0 ? `${target}: no such heading` : `${asEnglish(file)}, heading ${place + 1}`;
}

function withoutComments({ language, mark, text }: Block): Omit<Block, 'line'> {
  const code = /^(?:ts|tsx|js|jsx|mjs|json|vue)$/.test(language)
    ? text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
    : /^(?:sh|bash|shell|yaml|nginx|ini|toml)$/.test(language)
      ? text.replaceAll(/(^|\s)#.*$/gm, '')
      : text;
  const lines = code.split('\n').map((line) => line.trimEnd());
  return { language, mark, text: lines.filter((line) => line !== '').join('\n') };
}

function sorted(targets: string[]): string[] {
  return [...new Set(targets)].toSorted();
}
