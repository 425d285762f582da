import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from '../../../test/support/mariadb.ts';
import { startServerOf } from '../database-servers.ts';
import { tally } from '../caller.ts';
import { type Experiment, type Figure, percentile } from '../experiment.ts';
import { startLoad } from '../load.ts';
import { openStage, type Stage } from '../stage.ts';

/** How many logins are under way at a time: the wait of one alone, and what many get through. */
const loads = [1, 16];

/** What logins cost on this engine beside one MariaDB: by turns, so that a busy machine is as busy for both. */
export const loginCost: Experiment = {
  name: 'login-cost',
  on: ['TiDB'],
  async run({ database, createUrl, quick, progress }) {
    const mariadb = await startServerOf('MariaDB');
    const stages: Stage[] = [];
    try {
      const contestants = await Promise.all(
        [
          { name: database, databaseUrl: await createUrl() },
          { name: 'MariaDB', databaseUrl: await createDatabase(mariadb.url) },
        ].map(async ({ name, databaseUrl }) => {
          const stage = await openStage(databaseUrl);
          stages.push(stage);
          const { caller } = await stage.start();
          const round = async (workers: number, forMs: number) => {
            const load = startLoad({ caller: () => caller, next: (each) => each.checkUser(stage.code()), workers });
            const begun = performance.now();
            await sleep(forMs);
            await load.stop();
            return { outcomes: load.outcomes, seconds: (performance.now() - begun) / 1000 };
          };
          await round(16, 1000);
          return { name, round };
        }),
      );
      const figures: Figure[] = [];
      for (const workers of loads) {
        const found = contestants.map(({ name, round }) => ({
          name,
          round,
          waits: [0].slice(1),
          seconds: 0,
          failed: 0,
        }));
        for (let turn = 1; turn <= (quick ? 1 : 5); turn++) {
          for (const each of found) {
            progress(`${workers} at a time, turn ${turn}: ${each.name}`);
            const { outcomes, seconds } = await each.round(workers, quick ? 500 : 3000);
            const { OK = 0 } = tally(outcomes);
            each.failed += outcomes.length - OK;
            each.waits.push(...outcomes.map(({ afterMs }) => afterMs));
            each.seconds += seconds;
          }
        }
        for (const { name, waits, seconds, failed } of found) {
          figures.push(
            { what: `${name}, ${workers} at a time: logins per second`, value: waits.length / seconds },
            { what: 'the wait, median', value: percentile(waits, 0.5), unit: 'ms' },
            { what: 'p99', value: percentile(waits, 0.99), unit: 'ms' },
            { what: 'failed', value: failed, atMost: 0 },
          );
        }
      }
      return figures;
    } finally {
      await Promise.all(stages.map((stage) => stage.close()));
      await mariadb.remove();
    }
  },
};
