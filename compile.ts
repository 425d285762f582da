import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

// `tsx compile.ts <project> <folder>` compiles beside the folder and then replaces each file in one step, for servers may
// start from it and another build may run at the same time. Files that the project no longer makes are removed.
const [project = 'src', folder = 'dist'] = process.argv.slice(2);
const fresh = mkdtempSync(path.join(path.dirname(folder), `.${path.basename(folder)}-`));
try {
  const tsc = path.join(import.meta.dirname, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', project, '--outDir', fresh], { stdio: 'inherit' });
  if (status === 0) {
    const command = path.join(project, 'cli/guoke.ts');
    if (existsSync(command)) await bundle(command);
    replace();
  }
  process.exitCode = status ?? 1;
} finally {
  rmSync(fresh, { recursive: true });
}

/**
 * A few files for the process, which starts in half the time of the hundreds that it is made of. Native packages stay outside,
 * and so does the other database's driver.
 */
async function bundle(command: string): Promise<void> {
  await build({
    entryPoints: [command],
    outdir: path.join(fresh, 'bin'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['sharp', 'libsql', '@libsql/client'],
    // Some of the packages are CommonJS, and require Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    legalComments: 'eof',
    logLevel: 'warning',
  });
}

function replace(): void {
  const made = readdirSync(fresh, { recursive: true, withFileTypes: true });
  const names = new Set(made.map((entry) => path.relative(fresh, path.join(entry.parentPath, entry.name))));
  for (const entry of made.filter((each) => each.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const target = path.join(folder, path.relative(fresh, file));
    mkdirSync(path.dirname(target), { recursive: true });
    renameSync(file, target);
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!names.has(name)) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
