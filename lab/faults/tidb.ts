import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DatabaseServer, freePort, startDatabaseServer } from '../../test/support/database-server.ts';

/** TiDB's server: the program that TIDB_SERVER names, or `tidb-server` on the PATH; null where neither is there. */
export function findTidb(): string | null {
  const program = process.env.TIDB_SERVER ?? 'tidb-server';
  try {
    execFileSync(program, ['-V'], { stdio: 'pipe' });
    return program;
  } catch {
    return null;
  }
}

/** A private TiDB on an empty temporary directory and loopback, with its rows in its own process: no TiKV, no PD. */
export async function startTidb(program: string): Promise<DatabaseServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'guoke-tidb-'));
  const port = await freePort();
  const flags = [
    '-store=unistore',
    `-path=${path.join(directory, 'data')}`,
    `-temp-dir=${path.join(directory, 'temporary')}`,
    `-socket=${path.join(directory, 'socket')}`,
    `-log-slow-query=${path.join(directory, 'slow')}`,
    '-host=127.0.0.1',
    `-P=${port}`,
    '-report-status=false',
    '-L=warn',
  ];
  // Its first start makes the tables of its own, which takes a while.
  const url = `mysql://root@127.0.0.1:${port}`;
  return await startDatabaseServer({ program, flags, directory, url, timeoutMs: 120_000 });
}
