import { describe, expect, inject, test } from 'vitest';
import { experiments } from '../../lab/faults/experiments/all.ts';
import { type DatabaseName, isWithin, shown } from '../../lab/faults/experiment.ts';
import { hasMysql, mysql, sqlite } from '../support/databases.ts';
import { findMariaDb } from '../support/mariadb.ts';

/** Whether there is a MariaDB that may be reached by a proxy on this machine, and killed. */
const hasMariaDb = hasMysql && findMariaDb() !== null && process.env.DATABASE_URL_MYSQL === undefined;
const rooms: Record<DatabaseName, () => Promise<string>> = { SQLite: sqlite.createUrl, MariaDB: mysql.createUrl };
const all = experiments.flatMap((experiment) => experiment.on.map((database) => ({ ...experiment, database })));

// `npm run faults` makes the same experiments at full length.
describe.concurrent('in short', () => {
  for (const { name, database, run } of all) {
    test.skipIf(database === 'MariaDB' && !hasMariaDb)(
      `${name} on ${database}`,
      // On two cores and beside everything else, an experiment may meet a machine that stands still: it is made twice then.
      { timeout: 120_000, retry: 1 },
      async () => {
        const setting = {
          database,
          createUrl: rooms[database],
          scratch: inject('scratch'),
          quick: true,
          progress: () => {},
        };
        const figures = await run(setting);
        // They run beside one another here: a latency of a busy machine says nothing.
        const outside = figures.filter((figure) => !figure.noisy && !isWithin(figure));
        expect(outside.map(shown)).toEqual([]);
      },
    );
  }
});
