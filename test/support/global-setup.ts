import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { compileProject } from './compiled.ts';
import { findMariaDb, startMariaDb } from './mariadb.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server for the tests on MySQL, without a database; null when there is no server. */
    mysqlServerUrl: string | null;
    /** A directory that is removed after the run. */
    scratch: string;
  }
}

const warning = `
  ┌──────────────────────────────────────────────────────────────────────────┐
  │ NOT TESTED: MySQL. There is no mariadbd here and no DATABASE_URL_MYSQL.  │
  │ Install one (Debian: apt install mariadb-server-core) and run it again.  │
  └──────────────────────────────────────────────────────────────────────────┘
`;

/** One database server for the whole run: DATABASE_URL_MYSQL, or a private MariaDB. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL_MYSQL || undefined;
  const program = given ? null : findMariaDb();
  if (!given && !program && process.env.REQUIRE_MYSQL === '1') throw new Error(`REQUIRE_MYSQL=1${warning}`);

  const mariadb = program ? await startMariaDb(program) : undefined;
  const scratch = await mkdtemp(path.join(tmpdir(), 'guoke-test-'));
  await compileProject(path.join(scratch, 'compiled'));
  const serverUrl = given ?? mariadb?.url ?? null;
  project.provide('mysqlServerUrl', serverUrl);
  project.provide('scratch', scratch);
  if (!serverUrl) process.stderr.write(warning);
  return async () => {
    await mariadb?.remove();
    await rm(scratch, { recursive: true, force: true });
    if (!serverUrl) process.stderr.write(warning);
  };
}
