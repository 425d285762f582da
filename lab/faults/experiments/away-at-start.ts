import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import type { Experiment, Figure, Setting } from '../experiment.ts';
import { openStage, timeUntil } from '../stage.ts';
import { startTcpProxy, throughProxy, type Network } from '../tcp-proxy.ts';

/** With its database away the server starts, says 503, and serves within 5 s of its coming, without a restart. */
export const awayAtStart: Experiment = {
  name: 'away-at-start',
  on: ['MariaDB', 'SQLite', 'TiDB'],
  async run(setting) {
    if (setting.database === 'SQLite') {
      const databaseUrl = `file:${path.join(setting.scratch, crypto.randomUUID())}`;
      const holder = createClient({ url: databaseUrl });
      const lock = await holder.transaction('write');
      return await watch(setting, 'locked', databaseUrl, async () => {
        await lock.rollback();
        holder.close();
      });
    }
    const networks: Network[] = [{ kind: 'refuse' }, { kind: 'blackHole' }];
    const figures: Figure[] = [];
    for (const network of networks) {
      const databaseUrl = await setting.createUrl();
      const proxy = await startTcpProxy(Number(new URL(databaseUrl).port), network);
      const come = () => proxy.turn({ kind: 'pass' });
      figures.push(...(await watch(setting, network.kind, throughProxy(databaseUrl, proxy), come)));
      await proxy.close();
    }
    return figures;
  },
};

async function watch(
  { quick, progress }: Setting,
  how: string,
  databaseUrl: string,
  come: () => Promise<void>,
): Promise<Figure[]> {
  const stage = await openStage(databaseUrl);
  try {
    progress(`the database is away: ${how}`);
    const begun = performance.now();
    const { caller } = await stage.start({}, { untilReady: false });
    const startMs = performance.now() - begun;
    const [alive, ready] = [await caller.status('/healthz'), await caller.status('/readyz')];
    const refused = await caller.checkUser(stage.code());
    // Its next try is anywhere between two seconds then.
    await sleep(quick ? 500 : 3300);
    await come();
    const readyMs = await timeUntil(async () => (await caller.status('/readyz')) === 200, 20_000);
    const login = await caller.checkUser(stage.code());
    const odd = [alive !== 200, ready !== 503, refused.reason !== 'DATABASE_UNAVAILABLE', login.reason !== 'OK'];
    return [
      { what: `${how}: listens after`, value: startMs, unit: 'ms', atMost: 10_000 },
      { what: 'odd answers of healthz, readyz and logins', value: odd.filter(Boolean).length, atMost: 0 },
      { what: 'serves, once it is there, within', value: readyMs, unit: 'ms', atMost: 5000 },
    ];
  } finally {
    await stage.close();
  }
}
