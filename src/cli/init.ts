import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UsageError } from './command.ts';

/** The example of docs/extending.md; it stands beside src/ and dist/ alike. */
const template = fileURLToPath(new URL('../../examples/notes', import.meta.url));
const ignored = 'node_modules\ndist\n.data\n*.db*\n';

/** `guoke init <folder>`: writes a small project with procedures of its own into an empty folder. */
export async function run(args: string[]): Promise<void> {
  const { positionals } = parseArgs({ args, options: {}, allowPositionals: true });
  const [folder, ...rest] = positionals;
  if (!folder || rest.length > 0) throw new UsageError('Say where to: guoke init <folder>');
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new UsageError('The folder is not empty: nothing is written.');
  await cp(template, folder, { recursive: true });
  const file = path.join(folder, 'package.json');
  const manifest = await readFile(file, 'utf8');
  await writeFile(file, manifest.replace('"name": "notes"', `"name": ${JSON.stringify(nameOf(folder))}`));
  await writeFile(path.join(folder, '.gitignore'), ignored);
  process.stdout.write(`${folder} is written. Start it:\n  cd ${folder} && npm install && npm run dev\n`);
}

/** A package's name may hold small letters, digits and a few signs. */
function nameOf(folder: string): string {
  const name = path.basename(path.resolve(folder)).toLowerCase();
  return name.replaceAll(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+/, '') || 'my-server';
}
