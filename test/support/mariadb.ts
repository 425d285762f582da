import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createConnection } from 'mysql2/promise';
import { freePort, startDatabaseServer } from './database-server.ts';

export type MariaDb = Awaited<ReturnType<typeof startMariaDb>>;

/** The server refuses to run as root unless it is told to. */
const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];

/** The server's program, or null. MySQL's own is not used: it needs minutes to initialise, and refuses TCP without grants. */
export function findMariaDb(): string | null {
  for (const program of ['mariadbd', 'mysqld', '/usr/sbin/mariadbd', '/usr/sbin/mysqld']) {
    try {
      const version = execFileSync(program, ['--no-defaults', '--version'], { encoding: 'utf8', stdio: 'pipe' });
      if (version.includes('MariaDB')) return program;
    } catch {
      // Not here: the next one.
    }
  }
  return null;
}

interface MariaDbOptions {
  /** InnoDB's pages in memory. */
  bufferMb?: number;
  /** Its redo log: what may be changed before pages have to be written out. */
  logMb?: number;
  /** Makes the tables of accounts, with a root who needs no password; without them everybody may do everything. */
  hasAccounts?: boolean;
  /** Settings of the server, such as `--autocommit=0`. */
  settings?: readonly string[];
}

/** A private MariaDB on an empty temporary directory, on a loopback port of its own. Small, by default. */
export async function startMariaDb(
  program: string,
  { bufferMb = 64, logMb = 16, hasAccounts = false, settings = [] }: MariaDbOptions = {},
) {
  const directory = await mkdtemp(path.join(tmpdir(), 'guoke-mariadb-'));
  if (hasAccounts) createAccounts(directory);
  const port = await freePort();
  const url = `mysql://root@127.0.0.1:${port}`;
  const flags = [
    '--no-defaults',
    ...(hasAccounts ? [] : ['--skip-grant-tables']),
    `--datadir=${directory}`,
    // A server that starts removes what others have in a directory that they share.
    `--tmpdir=${directory}`,
    `--socket=${path.join(directory, 'socket')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--max-connections=500',
    `--innodb-buffer-pool-size=${bufferMb}M`,
    `--innodb-log-file-size=${logMb}M`,
    ...asRoot,
    ...settings,
  ];
  const server = await startDatabaseServer({ program, flags, directory, url });
  // InnoDB recovers from a crash only once the files that it has just made were written out, as an orderly end does.
  await server.kill('SIGTERM');
  await server.restart();
  return server;
}

/** A new, empty database on a server; its URL. */
export async function createDatabase(serverUrl: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/guoke_test_${Date.now().toString(36)}_${Math.random().toString(36).slice(2, 8)}`;
  const connection = await createConnection(serverUrl);
  try {
    await connection.query('create database ??', [url.pathname.slice(1)]);
  } finally {
    await connection.end();
  }
  return url.href;
}

function createAccounts(directory: string): void {
  const flags = ['--no-defaults', `--datadir=${directory}`, '--auth-root-authentication-method=normal'];
  const env = { ...process.env, TMPDIR: directory };
  execFileSync('mariadb-install-db', [...flags, '--skip-test-db', ...asRoot], { stdio: 'pipe', env });
}
