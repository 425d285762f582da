import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild, type Plugin } from 'esbuild';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface BundleOptions {
  format?: 'cjs' | 'esm';
  /** Files whose exports take the place of globals that the mini-program runtime lacks. */
  inject?: string[];
}

// tRPC looks for these behind `typeof`; the runtime has none of them, so what would use them is left out.
const absent = ['window', 'globalThis', 'DOMException'];

// @trpc/client does not say that its files only declare things. Told so, esbuild leaves out the links that are not used:
// one of them names WebSocket.
const withoutUnusedLinks: Plugin = {
  name: 'without-unused-links',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.mjs$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false,
    }));
  },
};

// tRPC is published with Babel's helpers for syntax older than ES2018, each in a region that names it. The short forms do
// the same here, and make the bundle a tenth smaller. Async generators are of subscriptions, which a phone does not have.
const shortHelpers: Readonly<Record<string, string>> = {
  objectSpread2: 'const _objectSpread2 = Object.assign;',
  defineProperty: 'const _defineProperty = (object, key, value) => { object[key] = value; };',
  wrapAsyncGenerator: 'const _wrapAsyncGenerator = undefined;',
};

const withShortHelpers: Plugin = {
  name: 'with-short-helpers',
  setup(build) {
    build.onLoad({ filter: /@trpc[\\/].*\.mjs$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const region = /^\/\/#region .*helpers\/esm\/(\w+)\.js\n[^]*?^\/\/#endregion$/gm;
      return { contents: text.replace(region, (whole, name: string) => shortHelpers[name] ?? whole) };
    });
  },
};

/** The client and tRPC as the text of one file of ES2018 that takes nothing for granted but ECMAScript, timers and `wx`. */
export async function bundle({
  format = 'cjs',
  inject = [here('src/abort-controller.ts')],
}: BundleOptions = {}): Promise<string> {
  const { outputFiles } = await esbuild({
    entryPoints: [here('src/index.ts')],
    inject,
    format,
    bundle: true,
    write: false,
    minify: true,
    target: 'es2018',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    define: Object.fromEntries(absent.map((name) => [name, 'undefined'])),
    legalComments: 'inline',
    plugins: [withoutUnusedLinks, withShortHelpers],
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

/** The command `guoke-router-types` as the text of one file that needs Node alone. */
export async function bundleCommand(): Promise<string> {
  const { outputFiles } = await esbuild({
    entryPoints: [here('router/main.mts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}
