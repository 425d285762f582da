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
    legalComments: 'none',
    banner: { js: '/*! @guoke/client, MIT. Contains @trpc/client and @trpc/server, MIT, (c) Alex Johansson. */' },
    plugins: [withoutUnusedLinks],
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}
