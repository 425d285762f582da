import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { emitTypes } from './emit-types.ts';

emitTypes();
await write('miniprogram_dist/index.js', await bundle({ format: 'cjs' }));
await write('dist/index.mjs', await bundle({ format: 'esm' }));

async function write(file: string, text: string): Promise<void> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
