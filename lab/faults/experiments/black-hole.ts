import { createConnection } from 'mysql2/promise';
import type { Caller } from '../caller.ts';
import type { Experiment } from '../experiment.ts';
import { openStage, timeUntil } from '../stage.ts';
import { startTcpProxy, throughProxy } from '../tcp-proxy.ts';

const poolSize = 5;

/** Logins are written together, on one connection; each question of /readyz takes one of its own. */
const pings = (caller: Caller) => Array.from({ length: poolSize * 2 }, () => caller.status('/readyz'));

/** A black-holed connection is destroyed and not leaked: after many black holes the pool is whole. */
export const blackHole: Experiment = {
  name: 'black-hole',
  on: ['MariaDB', 'TiDB'],
  async run({ createUrl, quick, progress }) {
    const databaseUrl = await createUrl();
    const proxy = await startTcpProxy(Number(new URL(databaseUrl).port));
    // A short deadline makes a hundred cycles a matter of a minute.
    const timeoutMs = 250;
    const stage = await openStage(throughProxy(databaseUrl, proxy), {
      DATABASE_TIMEOUT_MS: String(timeoutMs),
      DATABASE_POOL_SIZE: String(poolSize),
    });
    const observer = await createConnection(databaseUrl);
    try {
      const { caller } = await stage.start();
      const cycles = quick ? 5 : 100;
      const waits: number[] = [];
      const recoveries: number[] = [];
      let servedInTheDark = 0;
      for (let cycle = 1; cycle <= cycles; cycle++) {
        await Promise.all(pings(caller));
        await proxy.turn({ kind: 'blackHole' });
        const dark = pings(caller);
        const outcomes = await Promise.all(Array.from({ length: poolSize * 2 }, () => caller.checkUser(stage.code())));
        waits.push(...outcomes.map(({ afterMs }) => afterMs));
        servedInTheDark += outcomes.filter(({ reason }) => reason !== 'DATABASE_UNAVAILABLE').length;
        servedInTheDark += (await Promise.all(dark)).filter((status) => status !== 503).length;
        await proxy.turn({ kind: 'pass' });
        const whole = async () => {
          const statuses = await Promise.all(pings(caller));
          const { reason } = await caller.checkUser(stage.code());
          return statuses.every((status) => status === 200) && reason === 'OK';
        };
        recoveries.push(await timeUntil(whole, 5000));
        progress(`cycle ${cycle} of ${cycles}`);
      }
      // Slow enough for the questions to be asked side by side: then every place of the pool has to be there.
      await proxy.turn({ kind: 'delay', ms: 10 });
      const together = await Promise.all(pings(caller));
      const [held] = await observer.query(
        'select count(*) as held from information_schema.processlist where db = database()',
      );
      const connections = Number((held as { held: number }[])[0]?.held) - 1;
      return [
        {
          what: `${cycles} cycles: calls not refused as DATABASE_UNAVAILABLE in the dark`,
          value: servedInTheDark,
          atMost: 0,
        },
        {
          what: `the longest wait with a deadline of ${timeoutMs} ms`,
          value: Math.max(...waits),
          unit: 'ms',
          atMost: 3000,
        },
        {
          what: 'the whole pool serves again within',
          value: Math.max(...recoveries),
          unit: 'ms',
          atMost: 2000,
          noisy: true,
        },
        {
          what: 'of the last questions, asked side by side, not answered',
          value: together.filter((status) => status !== 200).length,
          atMost: 0,
        },
        {
          what: 'connections at the end, at the proxy',
          value: proxy.connections(),
          atMost: poolSize,
          atLeast: poolSize,
        },
        { what: 'and at the database', value: connections, atMost: poolSize },
      ];
    } finally {
      await observer.end();
      await stage.close();
      await proxy.close();
    }
  },
};
