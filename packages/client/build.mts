import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundle, bundleCommand } from './bundle.mts';
import { emitTypes } from './emit-types.mts';

// Into this directory, or into that of the argument: a test makes a package of its own.
const directory = process.argv[2] ?? import.meta.dirname;

emitTypes(path.join(directory, 'types'));
await write('miniprogram_dist/index.js', await bundle({ format: 'cjs' }));
await write('dist/index.mjs', await bundle({ format: 'esm' }));
await write('dist/router-types.mjs', await bundleCommand());

async function write(file: string, text: string): Promise<void> {
  const target = path.join(directory, file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, text);
}
