import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

// `tsx compile.ts <project> <folder>` compiles beside the folder and then replaces each file in one step, for servers may
// start from it and another build may run at the same time. Files that the project no longer makes are removed.
const [project = 'src', folder = 'dist'] = process.argv.slice(2);
const fresh = mkdtempSync(path.join(path.dirname(folder), `.${path.basename(folder)}-`));
try {
  const tsc = path.join(import.meta.dirname, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', project, '--outDir', fresh], { stdio: 'inherit' });
  if (status === 0) replace();
  process.exitCode = status ?? 1;
} finally {
  rmSync(fresh, { recursive: true });
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
