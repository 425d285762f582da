import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitRouter } from './router/emit-router.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function tsc(project: string, outDir: string): void {
  execFileSync(
    process.execPath,
    [here('../../node_modules/typescript/bin/tsc'), '-p', here(project), '--outDir', outDir],
    {
      stdio: 'inherit',
    },
  );
}

/** Leaves what has not changed alone: somebody may be reading it. */
function write(file: string, text: string): void {
  const path = here(`types/${file}`);
  const before = readdirSync(here('types')).includes(file) ? readFileSync(path, 'utf8') : undefined;
  if (text !== before) writeFileSync(path, text);
}

/** The declarations that a user's program reads: index.d.ts and what it imports. The other ones would need tRPC's. */
function emitClient(out: string): Set<string> {
  tsc('.', out);
  const seen = new Set(['app-router.d.ts']);
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    // `.js` is known to every TypeScript that a mini program may be on, `.ts` to newer ones only.
    const text = readFileSync(join(out, file), 'utf8').replaceAll(".ts'", ".js'");
    write(file, text);
    for (const [, name] of text.matchAll(/from '\.\/([\w-]+)\.js'/g)) follow(`${name}.d.ts`);
  };
  follow('index.d.ts');
  return seen;
}

/** Writes client/types: declarations of the client and of the server's router that need no other package. */
export function emitTypes(): void {
  const out = mkdtempSync(join(tmpdir(), 'guoke-types-'));
  try {
    mkdirSync(here('types'), { recursive: true });
    write('app-router.d.ts', emitRouter(here('../../src/router.ts')));
    const emitted = emitClient(out);
    for (const file of readdirSync(here('types'))) if (!emitted.has(file)) rmSync(here(`types/${file}`));
  } finally {
    rmSync(out, { recursive: true });
  }
}
