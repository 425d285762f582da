import type { DatabaseServer } from '../../test/support/database-server.ts';
import { findMariaDb, startMariaDb } from '../../test/support/mariadb.ts';
import type { DatabaseName } from './experiment.ts';
import { findTidb, startTidb } from './tidb.ts';

/** The databases that are a process of their own. */
export type ServerName = Exclude<DatabaseName, 'SQLite'>;

interface ServerProgram {
  find: () => string | null;
  start: (program: string) => Promise<DatabaseServer>;
}

const programs: Readonly<Record<ServerName, ServerProgram>> = {
  MariaDB: { find: findMariaDb, start: startMariaDb },
  TiDB: { find: findTidb, start: startTidb },
};

export const serverNames: readonly ServerName[] = ['MariaDB', 'TiDB'];

/** For those who lack the server's program. */
export const howToGet: Readonly<Record<ServerName, string>> = {
  MariaDB: 'There is no mariadbd here (Debian: apt install mariadb-server-core).',
  TiDB: 'There is no tidb-server on the PATH, and TIDB_SERVER names none.',
};

/** Whether the server's program is on this machine. */
export const isInstalled = (name: ServerName): boolean => programs[name].find() !== null;

/** A private server, empty, which ends with `remove`. */
export async function startServerOf(name: ServerName): Promise<DatabaseServer> {
  const program = programs[name].find();
  if (program === null) throw new Error(`there is no server of ${name} on this machine`);
  return await programs[name].start(program);
}
