import { execFile } from 'node:child_process';
import { cp, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');

/** The directory that `compileProject` filled; in the environment, for the workers of a test run inherit it. */
const variable = 'GUOKE_COMPILED';

/**
 * Compiles src/, test/ and lab/ into a directory, so that the processes that the tests start need no tsx, which takes
 * two thirds of such a start. Types are checked elsewhere.
 */
export async function compileProject(directory: string): Promise<void> {
  const options = ['--noCheck', '--noEmit', 'false', '--rootDir', root, '--outDir', directory];
  await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.', ...options], {
    cwd: root,
  });
  await cp(path.join(root, 'package.json'), path.join(directory, 'package.json'));
  for (const name of ['node_modules', 'drizzle', 'examples'])
    await symlink(path.join(root, name), path.join(directory, name));
  process.env[variable] = directory;
}

/** What Node needs on its command line to run a file of the project, such as src/main.ts. */
export function nodeArguments(file: string): string[] {
  const directory = process.env[variable];
  return directory ? [path.join(directory, file.replace(/\.ts$/, '.js'))] : ['--import', 'tsx', path.join(root, file)];
}
