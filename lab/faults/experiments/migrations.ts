import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeArguments } from '../../../test/support/compiled.ts';
import { loginWrite } from '../../../test/support/login-write.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Experiment } from '../experiment.ts';
import { startTcpProxy, throughProxy } from '../tcp-proxy.ts';

const instances = 8;

/** A process that migrates when told to; see ../migrator.ts. */
export async function startMigrator() {
  const child = spawn(process.execPath, nodeArguments('lab/faults/migrator.ts'), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  return {
    /** `done`, or the words of the failure; null when it was killed meanwhile. */
    async migrate(databaseUrl: string): Promise<string | null> {
      child.stdin.write(`${databaseUrl}\n`);
      const { value } = (await lines.next()) as { value: string | undefined };
      return value ?? null;
    },
    async kill(): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Whether a login can be saved, which needs every table. */
export async function isWhole(databaseUrl: string): Promise<boolean> {
  const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 1 });
  const login = loginWrite();
  const saved = await store.saveLogin(login).then(
    () => true,
    () => false,
  );
  await store.close();
  return saved;
}

/** Eight instances migrate one empty database at the same moment, round after round. */
export const migrateTogether: Experiment = {
  name: 'migrate-together',
  on: ['MariaDB', 'SQLite', 'TiDB'],
  async run({ createUrl, quick, progress }) {
    const migrators = await Promise.all(Array.from({ length: instances }, startMigrator));
    try {
      const rounds = quick ? 2 : 20;
      const failures: string[] = [];
      let broken = 0;
      let longestMs = 0;
      for (let round = 1; round <= rounds; round++) {
        const databaseUrl = await createUrl();
        const begun = performance.now();
        const words = await Promise.all(migrators.map((migrator) => migrator.migrate(databaseUrl)));
        longestMs = Math.max(longestMs, performance.now() - begun);
        for (const word of words) if (word !== 'done') failures.push(word ?? 'ended');
        if (!(await isWhole(databaseUrl))) broken += 1;
        progress(`round ${round} of ${rounds}`);
      }
      if (failures.length > 0) progress(`failed: ${failures.slice(0, 3).join('; ')}`);
      return [
        { what: `${rounds} rounds of ${instances} instances: failures`, value: failures.length, atMost: 0 },
        { what: 'databases that took no login afterwards', value: broken, atMost: 0 },
        { what: 'the longest round', value: longestMs, unit: 'ms', atMost: 30_000 },
      ];
    } finally {
      await Promise.all(migrators.map((migrator) => migrator.kill()));
    }
  },
};

/** A migration is killed, or loses its database, half-way: it says where, and the next start continues. */
export const migrateInterrupted: Experiment = {
  name: 'migrate-interrupted',
  on: ['MariaDB', 'SQLite', 'TiDB'],
  async run({ database, createUrl, quick, progress }) {
    const rounds = quick ? 3 : 10;
    let halfWay = 0;
    let stuck = 0;
    let unclear = 0;
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      const databaseUrl = await createUrl();
      const migrator = await startMigrator();
      if (database !== 'SQLite') {
        // Slow enough that it is interrupted in its midst.
        const proxy = await startTcpProxy(Number(new URL(databaseUrl).port), { kind: 'delay', ms: 15 });
        const migrating = migrator.migrate(throughProxy(databaseUrl, proxy));
        await sleep(100 + Math.random() * 700);
        const cut = round % 2 === 0;
        if (cut) await proxy.turn({ kind: 'reset' });
        else await migrator.kill();
        const word = await migrating;
        if (word !== 'done') halfWay += 1;
        if (cut && word !== 'done' && !/^database unavailable: [A-Z_]+/.test(word ?? '')) unclear += 1;
        await proxy.close();
      } else {
        const migrating = migrator.migrate(databaseUrl);
        await sleep(Math.random() * 40);
        await migrator.kill();
        if ((await migrating) !== 'done') halfWay += 1;
      }
      await migrator.kill();
      const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 1 });
      const word = await store.migrate().then(() => 'done', String);
      await store.close();
      if (word !== 'done' || !(await isWhole(databaseUrl))) {
        stuck += 1;
        progress(`stuck: ${word}`);
      }
    }
    return [
      {
        what: `${rounds} interruptions, ${halfWay} of them half-way: not continued by the next start`,
        value: stuck,
        atMost: 0,
      },
      { what: 'without a clear word', value: unclear, atMost: 0 },
    ];
  },
};
