import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

export type MariaDb = Awaited<ReturnType<typeof startMariaDb>>;

/** The server refuses to run as root unless it is told to. */
const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];

/** The server's program, or null. MySQL's own is none: it needs minutes to initialise, and refuses TCP without grants. */
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

/**
 * Starts the server at each line of its input, and when the input ends, with us however we end, kills it and removes
 * its directory. Says the process id at each start, and when the server has ended.
 */
const keeper = `
dir=$1; shift
while read -r _; do
  ( sh -c 'echo $$ >"$0/pid"; echo "started $$"; exec "$@" >>"$0/log" 2>&1 </dev/null' "$dir" "$@"; echo ended ) &
done
kill -9 "$(cat "$dir/pid")" 2>/dev/null
wait
rm -rf "$dir"`;

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
    `--socket=${path.join(directory, 'socket')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--max-connections=500',
    `--innodb-buffer-pool-size=${bufferMb}M`,
    `--innodb-log-file-size=${logMb}M`,
    ...asRoot,
    ...settings,
  ];
  // In a session of its own: Ctrl-C reaches us alone, and the keeper outlives us to clean up.
  const child = spawn('sh', ['-c', keeper, 'sh', directory, program, ...flags], { detached: true });
  const says = linesOf(child);
  let pid = 0;
  let hasEnded: Promise<unknown> = Promise.resolve();

  async function start(): Promise<void> {
    child.stdin.write('start\n');
    pid = Number((await says('started')).split(' ')[1]);
    let ended = false;
    hasEnded = says('ended').then(() => (ended = true));
    const deadline = performance.now() + 15_000;
    while (!(await answers(url))) {
      if (ended || performance.now() > deadline) {
        const log = await readFile(path.join(directory, 'log'), 'utf8');
        throw new Error(`${program} did not start:\n${log.split('\n').slice(-10).join('\n')}`);
      }
      await sleep(10);
    }
  }

  /** By default as a crash would. */
  async function kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    process.kill(pid, signal);
    await hasEnded;
  }

  await start();
  // InnoDB recovers from a crash only once the files that it has just made were written out, as an orderly end does.
  await kill('SIGTERM');
  await start();
  return {
    /** Without a database; see `createDatabase`. */
    url,
    pid: () => pid,
    /** Ends the server, and resolves when it is gone. */
    kill,
    /** Starts it again on the same port and data, after `kill`. */
    restart: start,
    /** Ends the server and removes its data. */
    async remove(): Promise<void> {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    },
  };
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
  execFileSync('mariadb-install-db', [...flags, '--skip-test-db', ...asRoot], { stdio: 'pipe' });
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await createConnection({ uri: url, connectTimeout: 200 });
    await connection.end();
    return true;
  } catch {
    return false;
  }
}

/** What waits for the next line that begins with a word. */
function linesOf(child: ChildProcessWithoutNullStreams): (word: string) => Promise<string> {
  const lines = createInterface(child.stdout);
  return (word) =>
    new Promise((resolve) => {
      lines.on('line', function listener(line: string) {
        if (!line.startsWith(word)) return;
        lines.off('line', listener);
        resolve(line);
      });
    });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
