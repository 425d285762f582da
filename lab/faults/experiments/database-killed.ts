import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from '../../../test/support/mariadb.ts';
import { startServerOf } from '../database-servers.ts';
import { countInvalid, tally } from '../caller.ts';
import { percentile, type Experiment } from '../experiment.ts';
import { startLoad } from '../load.ts';
import { openStage, timeUntil } from '../stage.ts';

/** `kill -9` of the database under load: 503 while it is away, back within 2 s of its return, and no acknowledged login lost. */
export const databaseKilled: Experiment = {
  name: 'database-killed',
  on: ['MariaDB', 'TiDB'],
  async run({ database, quick, progress }) {
    const databaseServer = await startServerOf(database === 'TiDB' ? 'TiDB' : 'MariaDB');
    const stage = await openStage(await createDatabase(databaseServer.url));
    try {
      const { caller } = await stage.start();
      const load = startLoad({ caller: () => caller, next: (each) => each.checkUser(stage.code()), workers: 8 });
      const kills = quick ? 2 : 20;
      const recoveries: number[] = [];
      let ready503 = 0;
      let invalid = 0;
      let checked = 0;
      for (let kill = 1; kill <= kills; kill++) {
        await sleep(300 + Math.random() * 700);
        await databaseServer.kill();
        await sleep(50);
        if ((await caller.status('/readyz')) === 503) ready503 += 1;
        await sleep(Math.random() * 1000);
        await databaseServer.restart();
        recoveries.push(await timeUntil(async () => (await caller.checkUser(stage.code())).reason === 'OK', 20_000));
        const fresh = load.tokens.slice(checked);
        checked += fresh.length;
        invalid += await countInvalid(caller, fresh);
        progress(
          `kill ${kill} of ${kills}: ${checked} tokens, ${invalid} lost, back after ${recoveries.at(-1)?.toFixed(0)} ms`,
        );
      }
      await load.stop();
      progress(`asking for all ${load.tokens.length} tokens once more`);
      const lost = await countInvalid(caller, load.tokens);
      const { OK = 0, DATABASE_UNAVAILABLE = 0, ...others } = tally(load.outcomes);
      return [
        {
          what: `${kills} kills: of ${load.tokens.length} acknowledged tokens lost`,
          value: Math.max(lost, invalid),
          atMost: 0,
        },
        { what: 'well again, median', value: percentile(recoveries, 0.5), unit: 'ms' },
        { what: 'worst', value: Math.max(...recoveries), unit: 'ms', atMost: 2000, noisy: true },
        { what: `${OK} served, ${DATABASE_UNAVAILABLE} refused as 503, anything else`, value: sum(others), atMost: 0 },
        { what: 'readyz 503 while away', value: ready503, atLeast: kills },
        {
          what: 'the longest wait',
          value: Math.max(...load.outcomes.map(({ afterMs }) => afterMs)),
          unit: 'ms',
          atMost: 3000,
          noisy: true,
        },
      ];
    } finally {
      await stage.close();
      await databaseServer.remove();
    }
  },
};

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
