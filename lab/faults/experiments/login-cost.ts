import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from '../../../test/support/mariadb.ts';
import { type ServerName, startServerOf } from '../database-servers.ts';
import { type Experiment, type Figure, percentile } from '../experiment.ts';
import { startLoad } from '../load.ts';
import { openStage } from '../stage.ts';

/** How many logins are under way at a time: the wait of one alone, and what many get through. */
const loads = [1, 16];

/** What logins cost on TiDB beside one MariaDB: by turns, so that a busy machine is as busy for both. */
export const loginCost: Experiment = {
  name: 'login-cost',
  on: ['TiDB'],
  async run({ quick, progress }) {
    const contestants: Contestant[] = [];
    try {
      for (const name of ['TiDB', 'MariaDB'] as const) contestants.push(await startContestant(name));
      const figures: Figure[] = [];
      for (const workers of loads) {
        for (let turn = 0; turn < (quick ? 1 : 5); turn++) {
          for (const contestant of contestants) {
            progress(`${workers} at a time, turn ${turn + 1}: ${contestant.name}`);
            await contestant.load(workers, quick ? 500 : 3000);
          }
        }
        figures.push(...contestants.flatMap((each) => each.take(`${each.name}, ${workers} at a time`)));
      }
      return figures;
    } finally {
      for (const contestant of contestants) await contestant.close();
    }
  },
};

type Contestant = Awaited<ReturnType<typeof startContestant>>;

async function startContestant(name: ServerName) {
  const database = await startServerOf(name);
  const stage = await openStage(await createDatabase(database.url));
  const { caller } = await stage.start();
  let waits: number[] = [];
  let failed = 0;
  let seconds = 0;
  let cpuMs = 0;

  async function load(workers: number, forMs: number): Promise<void> {
    const [begun, cpuBefore] = [performance.now(), await cpuMsOf(database.pid())];
    const logins = startLoad({ caller: () => caller, next: (each) => each.checkUser(stage.code()), workers });
    await sleep(forMs);
    await logins.stop();
    seconds += (performance.now() - begun) / 1000;
    cpuMs += (await cpuMsOf(database.pid())) - cpuBefore;
    waits.push(...logins.outcomes.map(({ afterMs }) => afterMs));
    failed += logins.outcomes.filter(({ reason }) => reason !== 'OK').length;
  }

  /** The figures of the loads since the last time. */
  function take(what: string): Figure[] {
    const figures: Figure[] = [
      { what: `${what}: logins a second`, value: waits.length / seconds },
      { what: 'CPU of the database for a login', value: cpuMs / waits.length, unit: 'ms' },
      { what: 'the wait, median', value: percentile(waits, 0.5), unit: 'ms' },
      { what: 'p99', value: percentile(waits, 0.99), unit: 'ms' },
      { what: 'failed', value: failed, atMost: 0 },
    ];
    [waits, failed, seconds, cpuMs] = [[], 0, 0, 0];
    return figures;
  }

  // The first logins of a user are inserts, and the statements are not prepared yet.
  await load(16, 2000);
  take('warm');
  return {
    name,
    load,
    take,
    async close(): Promise<void> {
      await stage.close();
      await database.remove();
    },
  };
}

/** The time of the processor that a process has used, as Linux counts it: in hundredths of a second. */
async function cpuMsOf(pid: number): Promise<number> {
  const afterName = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1] ?? '';
  const [userTicks, systemTicks] = afterName.split(' ').slice(11, 13);
  return (Number(userTicks) + Number(systemTicks)) * 10;
}
