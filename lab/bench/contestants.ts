import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { devApp } from '../../packages/standin/src/server.ts';
import { createDatabase } from '../../test/support/mariadb.ts';
import { freePort, startNode, type Started } from './processes.ts';

export interface Contestant extends Started {
  name: string;
  url: string;
  databaseUrl: string;
  isOurs: boolean;
}

export interface Entry {
  name: string;
  file: string;
  /** A build of the server, and no baseline. */
  isOurs: boolean;
}

const startCommand = packageJson.scripts.start.split(' ');
/** What `npm start` runs, and with which flags. */
const fileAt = startCommand.findIndex((word) => word.endsWith('.js'));
export const startFile = startCommand[fileAt] ?? '';
const startFlags = startCommand.slice(1, fileAt);

/** What `npm start` gives to Node: its flags, the file and, for the command line `guoke`, the command. */
export function startArguments(file: string): string[] {
  return [...startFlags, file, ...(file.endsWith(startFile) ? startCommand.slice(fileAt + 1) : [])];
}

/** A new database of its own with our tables, which all contestants write to in the same way. */
export async function createTables(serverUrl: string): Promise<string> {
  const databaseUrl = await createDatabase(serverUrl);
  await migrate(databaseUrl);
  return databaseUrl;
}

export async function migrate(databaseUrl: string): Promise<void> {
  const store = await openStore({ databaseUrl, timeoutMs: 60_000, poolSize: 1 });
  await store.migrate();
  await store.close();
}

/** Starts a server on a database, with its log in a file and 10 connections. */
export async function start(entry: Entry, databaseUrl: string, standinUrl: string): Promise<Contestant> {
  const port = await freePort();
  const env = environment({ port, databaseUrl, standinUrl });
  const started = await startNode(entry.isOurs ? startArguments(entry.file) : [entry.file], env, 'listening');
  const url = `http://127.0.0.1:${port}`;
  // It listens before it has looked at the tables, and refuses calls until then.
  while (entry.isOurs && (await fetch(`${url}/readyz`)).status !== 200) await sleep(5);
  return { ...started, name: entry.name, isOurs: entry.isOurs, url, databaseUrl };
}

interface Places {
  port: number;
  databaseUrl: string;
  standinUrl: string;
}

export function environment({ port, databaseUrl, standinUrl }: Places): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_SIZE: '10',
    SESSION_KEY_SECRETS: `bench:${randomBytes(32).toString('base64')}`,
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_API_BASE_URL: standinUrl,
    RATE_LIMIT_PER_MINUTE: '0',
    USER_WRITES_PER_MINUTE: '0',
    // The tables are there, and another build beside this one may know another journal.
    MIGRATE_ON_START: 'false',
  };
}
