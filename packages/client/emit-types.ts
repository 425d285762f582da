import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** `AppRouter` without the server behind it: see router/app-router.ts. */
function emitRouter(out: string): void {
  tsc('router', out);
  const emitted = readFileSync(join(out, 'packages/client/router/app-router.d.ts'), 'utf8');
  const text = emitted.replace(/^import type .*\n/gm, '');
  if (/\bimport\b/.test(text))
    throw new Error('The types of AppRouter cannot do without an import of the server or tRPC');
  write('app-router.d.ts', text);
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
    emitRouter(join(out, 'router'));
    const emitted = emitClient(join(out, 'client'));
    for (const file of readdirSync(here('types'))) if (!emitted.has(file)) rmSync(here(`types/${file}`));
  } finally {
    rmSync(out, { recursive: true });
  }
}
