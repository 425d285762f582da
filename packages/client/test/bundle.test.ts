import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../bundle.mts';

let text: string;
beforeAll(async () => {
  text = await bundle();
});

/** Whether a text has syntax newer than ES2018: esbuild then writes it otherwise, or cannot. */
async function isEs2018(code: string): Promise<boolean> {
  const [old, latest] = await Promise.all(
    ['es2018', 'esnext'].map((target) => transform(code, { target, logLevel: 'silent' }).catch(() => undefined)),
  );
  return old !== undefined && old.code === latest?.code;
}

/** What the compiler cannot do without. As types only: they make no name known. */
const types = [
  'Array<T>',
  'Boolean',
  'CallableFunction',
  'Function',
  'IArguments',
  'NewableFunction',
  'Number',
  'Object',
  'RegExp',
  'String',
];

/** Every name that a program uses and does not declare, by TypeScript's own account: without a library it knows none. */
function freeIdentifiers(code: string): Set<string> {
  const directory = mkdtempSync(join(tmpdir(), 'guoke-names-'));
  try {
    const compilerOptions = {
      allowJs: true,
      checkJs: true,
      noLib: true,
      types: [],
      noEmit: true,
      module: 'ESNext',
      moduleDetection: 'force',
    };
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['types.d.ts', 'index.js'] }),
    );
    writeFileSync(join(directory, 'types.d.ts'), types.map((name) => `interface ${name} {}\n`).join(''));
    writeFileSync(join(directory, 'index.js'), code);
    const tsc = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', directory], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    const unknown =
      /(?:Cannot find name|No value exists in scope for the shorthand property) '([^']+)'|'([^']+)' only refers to a type/g;
    return new Set([...stdout.matchAll(unknown)].map(([, name, type]) => name ?? type ?? ''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the bundle', () => {
  it('the bundle is of ES2018, by a check that sees what is newer', async () => {
    expect(await isEs2018(text)).toBe(true);
    for (const newer of ['a?.b', 'a ?? b', 'a ||= b', 'class A { #b = 1 }', 'try {} catch {}', '1n', 'await a']) {
      expect(await isEs2018(newer), newer).toBe(false);
    }
  });

  it('the bundle uses only names that the runtime has', () => {
    const ecmaScript = [
      'Array',
      'Date',
      'Error',
      'JSON',
      'Math',
      'Number',
      'Object',
      'Promise',
      'Proxy',
      'RegExp',
      'Set',
      'String',
      'Symbol',
      'TypeError',
      'encodeURIComponent',
      'parseInt',
    ];
    const runtime = ['clearTimeout', 'module', 'setTimeout', 'wx'];
    const allowed = new Set([...ecmaScript, ...runtime]);
    const found = [...freeIdentifiers(text)];
    expect(found).toContain('wx');
    expect(found.filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('the bundle does without Promise.prototype.finally, which iOS up to 15 lacks', () => {
    expect(text).not.toMatch(/\.finally\b/);
  });

  it('the bundle owes that to what the build puts in and leaves out, which the check would see', async () => {
    expect(freeIdentifiers(await bundle({ inject: [] }))).toContain('AbortController');
    expect(freeIdentifiers('typeof fetch; const a = { process }; (function () { return Buffer })()')).toEqual(
      new Set(['fetch', 'process', 'Buffer']),
    );
  });

  it('the bundle weighs at most 10 KB compressed', () => {
    const bytes = gzipSync(text, { level: 9 }).length;
    console.log(`client bundle: ${text.length} bytes minified, ${bytes} bytes gzip`);
    expect(bytes).toBeLessThanOrEqual(10_000);
  });
});
