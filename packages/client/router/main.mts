import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { emitRouter } from './emit-router.mts';

const usage = `Usage: guoke-router-types <router.ts> <app-router.d.ts>

Writes the type AppRouter that router.ts exports, with the inputs and outputs of its procedures spelled out, so that
a mini program can use it without the server's packages. TypeScript is the project's own.`;

const [router, out, ...more] = process.argv.slice(2);
if (router === '--help') console.log(usage);
else if (router === undefined || out === undefined || more.length > 0 || router.startsWith('-')) {
  console.error(usage);
  process.exitCode = 2;
} else {
  try {
    const text = emitRouter(router);
    mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
    writeFileSync(out, text);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
