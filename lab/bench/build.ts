import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Entry, startFile } from './contestants.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Compiles the server as `npm run build` does, and what stands beside it in lab/bench/, so that nothing runs through tsx. `main`: a
 * build of the server that is there already.
 */
export async function buildAll(main?: string): Promise<{ entries: Entry[]; load: string; standin: string }> {
  if (!main) execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  // Beside the baselines, in lab/bench/: see its package.json.
  if (!existsSync(`${root}lab/bench/node_modules`)) {
    execFileSync('npm', ['ci', '--no-workspaces', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: `${root}lab/bench`,
      stdio: 'inherit',
    });
  }
  const names = ['load', 'standin', 'baselines/floor', 'baselines/fastify', 'baselines/express'];
  const outdir = `${root}lab/bench/dist`;
  await build({
    entryPoints: names.map((name) => `${root}lab/bench/${name}.ts`),
    outdir,
    outbase: `${root}lab/bench`,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  return {
    entries: [
      { name: 'floor', file: `${outdir}/baselines/floor.mjs`, isOurs: false },
      { name: 'guoke', file: main ?? root + startFile, isOurs: true },
      { name: 'fastify', file: `${outdir}/baselines/fastify.mjs`, isOurs: false },
      { name: 'express', file: `${outdir}/baselines/express.mjs`, isOurs: false },
    ],
    load: `${outdir}/load.mjs`,
    standin: `${outdir}/standin.mjs`,
  };
}
