import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** One `npm run dev`, restarts included. */
interface Run {
  /** The user of the story, as the stand-in knows them. */
  user: string;
  isRestart: boolean;
}

/** The process that restarts this one is its parent, so a file named after the parent tells a restart from a start. */
export function openRun({ directory = tmpdir(), parent = process.ppid } = {}): Run {
  const file = path.join(directory, `guoke-dev-${parent}`);
  if (existsSync(file)) return { user: readFileSync(file, 'utf8'), isRestart: true };
  const user = `xiaoming-${randomBytes(3).toString('hex')}`;
  writeFileSync(file, user, { mode: 0o600 });
  return { user, isRestart: false };
}
