import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitRouter } from './router/emit-router.mts';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The declarations that a user's program reads: index.d.ts and what it imports. The other ones would need tRPC's. */
function emitClient(): Map<string, string> {
  const out = mkdtempSync(path.join(tmpdir(), 'guoke-types-'));
  const files = new Map<string, string>();
  const follow = (file: string): void => {
    if (files.has(file) || file === 'app-router.d.ts') return;
    // `.js` is known to every TypeScript that a mini program may be on, `.ts` to newer ones only.
    const text = readFileSync(path.join(out, file), 'utf8').replaceAll(".ts'", ".js'");
    files.set(file, text);
    for (const [, name] of text.matchAll(/from '\.\/([\w-]+)\.js'/g)) follow(`${name}.d.ts`);
  };
  try {
    const tsc = here('../../node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', here('.'), '--outDir', out], { stdio: 'inherit' });
    follow('index.d.ts');
    return files;
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** Writes the declarations of the client and of the server's router, which need no other package, into a directory. */
export function emitTypes(directory = here('types')): void {
  mkdirSync(directory, { recursive: true });
  const own = here('types/app-router.d.ts');
  const router = emitRouter(here('../../src/router.ts'));
  // The client's own sources import it from there.
  mkdirSync(path.dirname(own), { recursive: true });
  writeIfNew(own, router);
  const files = emitClient();
  files.set('app-router.d.ts', router);
  // One set of declarations serves both: `import` and `require` give the same names.
  files.set('index.d.mts', "export * from './index.js';\n");
  for (const [file, text] of files) writeIfNew(path.join(directory, file), text);
  for (const file of readdirSync(directory)) if (!files.has(file)) rmSync(path.join(directory, file));
}

/** Does not write a file that is the same already: another process may be reading it. */
function writeIfNew(file: string, text: string): void {
  const before = readdirSync(path.dirname(file)).includes(path.basename(file)) ? readFileSync(file, 'utf8') : undefined;
  if (text !== before) writeFileSync(file, text);
}
