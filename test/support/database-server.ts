import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

export type DatabaseServer = Awaited<ReturnType<typeof startDatabaseServer>>;

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

interface DatabaseServerOptions {
  program: string;
  flags: readonly string[];
  /** Its data and its log; removed in the end. */
  directory: string;
  /** Where it answers, without a database. */
  url: string;
  timeoutMs?: number;
}

/** A private server that speaks MySQL's protocol, which tests and experiments kill and start again. */
export async function startDatabaseServer({
  program,
  flags,
  directory,
  url,
  timeoutMs = 15_000,
}: DatabaseServerOptions) {
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
    const deadline = performance.now() + timeoutMs;
    while (!(await answers(url))) {
      if (ended || performance.now() > deadline) {
        const log = await readFile(path.join(directory, 'log'), 'utf8');
        throw new Error(`${program} did not start:\n${log.split('\n').slice(-10).join('\n')}`);
      }
      await sleep(10);
    }
  }

  await start();
  return {
    /** Without a database; see `createDatabase`. */
    url,
    pid: () => pid,
    /** Ends the server, by default as a crash would, and resolves when it is gone. */
    async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
      process.kill(pid, signal);
      await hasEnded;
    },
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

/** A port of loopback that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
