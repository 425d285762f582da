import { readFile } from 'node:fs/promises';
import { bundle } from '../bundle.mts';

/** The client that the tests run: this tree's, or the file that a toolchain has made of it. */
export function clientCode(): Promise<string> {
  const file = process.env.GUOKE_CLIENT_CODE;
  return file === undefined ? bundle() : readFile(file, 'utf8');
}
