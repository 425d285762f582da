import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles a file of the preview for a browser; with a `globalName` its exports are reachable from outside. */
export async function bundle(file: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    write: false,
    format: globalName === undefined ? 'esm' : 'iife',
    target: 'es2022',
    logLevel: 'silent',
    ...(globalName !== undefined && { globalName }),
  });
  return outputFiles[0]?.text ?? '';
}
