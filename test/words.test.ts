import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** Words that hide who acts, or say what a thing is not: name the caller, the instance, the missing row. */
const riddle =
  /\b(?:[Ww]hoever|[Nn]obody|[Ss]omebody|[Bb]rought|[Ff]oreseen|[Ff]oresaw|is at it|who comes after|(?:what|that) (?:is|are) none|(?<!\b[Tt]here )(?:is|are|was|were) no (?!longer|more|less|other\b|matter)[a-z]+)\b/;

const unchecked = [
  // The past is not rewritten.
  'CHANGELOG.md',
  // Has the words as examples.
  'test/words.test.ts',
  // Not rewritten yet.
  'docs/decisions/',
  'lab/faults/mutants/',
  'packages/miniprogram/',
];

async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    const isOurs = !entry.name.startsWith('.') && !['node_modules', 'dist'].includes(entry.name);
    if (entry.isDirectory() && isOurs) found.push(...(await filesUnder(name)));
    if (entry.isFile() && /\.(?:ts|mts|md)$/.test(name)) found.push(name);
  }
  return found;
}

const files = (await filesUnder('')).filter((file) => !unchecked.some((start) => file.startsWith(start)));

test('code and documents name who acts, and say what a thing is', async () => {
  const found: string[] = [];
  for (const file of files) {
    const lines = (await readFile(path.join(root, file), 'utf8')).split('\n');
    for (const [index, line] of lines.entries()) {
      const word = riddle.exec(line)?.[0];
      if (word !== undefined) found.push(`${file}:${index + 1}: ${word}`);
    }
  }
  expect(files.length).toBeGreaterThan(300);
  expect(found).toEqual([]);
});

test.each(['whoever sends it', 'Nobody waits', 'a token that is none', 'is no reason to', 'what the login brought'])(
  '"%s" is refused',
  (text) => {
    expect(text).toMatch(riddle);
  },
);

test.each(['There is no such user', 'it is no longer there', 'broughtUp', 'noBody'])('"%s" is accepted', (text) => {
  expect(text).not.toMatch(riddle);
});
