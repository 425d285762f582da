import { describe, expect, inject, test } from 'vitest';
import { experiments } from '../../lab/faults/experiments/all.ts';
import { isWithin, shown } from '../../lab/faults/experiment.ts';
import { hasMysql, mysql, sqlite } from '../support/databases.ts';
import { findMariaDb } from '../support/mariadb.ts';

/** Whether there is a MariaDB that may be reached by a proxy on this machine, and killed. */
const hasMariaDb = hasMysql && findMariaDb() !== null && process.env.DATABASE_URL_MYSQL === undefined;
const createUrl = { SQLite: sqlite.createUrl, MariaDB: mysql.createUrl };
// The tests leave no room for servers of an experiment's own.
const light = experiments.filter(({ lacks }) => lacks === undefined);
const all = light.flatMap((experiment) =>
  (['SQLite', 'MariaDB'] as const)
    .filter((database) => experiment.on.includes(database))
    .map((database) => ({ ...experiment, database })),
);

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
          createUrl: createUrl[database],
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
