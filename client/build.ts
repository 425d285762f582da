import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { emitTypes } from './emit-types.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

emitTypes();
await bundle({ format: 'cjs', outfile: here('miniprogram_dist/index.js') });
await bundle({ format: 'esm', outfile: here('dist/index.mjs') });
