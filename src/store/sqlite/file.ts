import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { StoreError } from '../store.ts';
import { codeOf } from './errors.ts';

/** What an SQLite database begins with: www.sqlite.org/fileformat.html */
const header = 'SQLite format 3\0';

/** Rejects with a StoreError where there is something at that path, and it is not a database that can be read. */
export async function refuseOtherFile(file: string): Promise<void> {
  try {
    await refuseDirectory(file);
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(header.length), 0, header.length, 0);
      if (bytesRead > 0 && buffer.toString('latin1') !== header) throw explainFileError('SQLITE_NOTADB', file);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw explained(error, file);
  }
}

export async function refuseDirectory(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw explained(error, file);
  });
  if (found?.isDirectory()) throw explainFileError('EISDIR', file);
}

/** Codes of errors that end a start, and make a call of a server that runs wait for better times. */
const refusedByFileSystem: ReadonlySet<string> = new Set(['ENOTDIR', 'EEXIST', 'EACCES', 'EPERM', 'EROFS']);

/** A start on a file that cannot be used ends with the words for it; a server that runs answers 503. */
export function refuseAtStart(error: StoreError): StoreError {
  if (!refusedByFileSystem.has(error.code)) return error;
  return new StoreError('unexpected', error.code, error.errno, error.explanation);
}

/** The same error, or one in words for the operator where the file or its folder is of no use. */
export function explained(error: unknown, file: string): unknown {
  if (error instanceof StoreError) return error;
  return explainFileError(codeOf(error) ?? '', file) ?? error;
}

/** Names the database and its folder, and not the temporary file that could not be made there. */
function explainFileError(code: string, file: string): StoreError | null {
  const folder = path.dirname(path.resolve(file));
  const nearest = nearestFolder(folder);
  const said: Readonly<Record<string, string>> = {
    EISDIR: `${file} is a folder: let DATABASE_URL name a file in it, such as file:${path.join(file, 'guoke.db')}`,
    ENOTDIR: `${folder} is not a folder: let DATABASE_URL name a file in one`,
    EEXIST: `${folder} is not a folder: let DATABASE_URL name a file in one`,
    EACCES: `${file} or the folder ${nearest} may not be read and written by this user: give both to the user of the server`,
    EPERM: `${file} or the folder ${nearest} may not be written: give both to the user of the server`,
    EROFS: `${nearest} is on a file system that is mounted read-only: let DATABASE_URL name a file on another`,
    SQLITE_NOTADB: `${file} is not a SQLite database: move it away, or let DATABASE_URL name another file`,
  };
  const explanation = said[code];
  const kind = refusedByFileSystem.has(code) ? 'unavailable' : 'unexpected';
  return explanation === undefined ? null : new StoreError(kind, code, undefined, explanation);
}

/** The folder, or the first above it that is there: the one to be mended where a folder cannot be made. */
function nearestFolder(folder: string): string {
  const parent = path.dirname(folder);
  return parent === folder || existsSync(folder) ? folder : nearestFolder(parent);
}

/** Waits until a file, or the names in a directory, are on the disk. */
export async function flush(name: string): Promise<void> {
  const handle = await open(name, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
