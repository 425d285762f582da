import { open } from 'node:fs/promises';

/** Waits until a file, or the names in a directory, are on the disk. */
export async function flush(name: string): Promise<void> {
  const handle = await open(name, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
