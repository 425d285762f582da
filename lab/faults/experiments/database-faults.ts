import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import { createConnection } from 'mysql2/promise';
import type { Caller, Outcome } from '../caller.ts';
import type { Experiment, Setting } from '../experiment.ts';
import { openStage, timeUntil, type Stage } from '../stage.ts';
import { startTcpProxy, throughProxy, type Network } from '../tcp-proxy.ts';

/** The bound is 3 s; the slow ones let a statement through just before its own deadline. */
const networks: readonly Network[] = [
  { kind: 'blackHole' },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'trickle', msPerByte: 30 },
  { kind: 'delay', ms: 300 },
  { kind: 'delay', ms: 900 },
  { kind: 'delay', ms: 1800 },
];

/** No call waits longer than 3 s for the database, whatever its network does, and a call either succeeds or says so. */
export const databaseFaults: Experiment = {
  name: 'database-faults',
  on: ['MariaDB', 'SQLite', 'TiDB'],
  run: (setting) => (setting.database === 'SQLite' ? onSqlite(setting) : onServer(setting)),
};

async function onServer({ createUrl, quick, progress }: Setting) {
  const databaseUrl = await createUrl();
  const proxy = await startTcpProxy(Number(new URL(databaseUrl).port));
  const stage = await openStage(throughProxy(databaseUrl, proxy));
  const connection = await createConnection(databaseUrl);
  try {
    const { caller } = await stage.start();
    const waits: number[] = [];
    const wrong: string[] = [];
    const recoveries: number[] = [];
    for (const network of quick ? networks.filter((_, index) => index % 3 === 0) : networks) {
      progress(`the network to the database: ${JSON.stringify(network)}`);
      const calls = await prepare(stage, caller);
      // An hour has passed since the tokens were used: each use is a write too.
      await connection.query('update gk_wx_session set last_used_at = 0');
      await proxy.turn(network);
      const outcomes = await Promise.all(calls.map((call) => call()));
      note(outcomes, JSON.stringify(network), { waits, wrong });
      await proxy.turn({ kind: 'pass' });
      recoveries.push(await timeUntil(async () => (await caller.checkUser(stage.code())).reason === 'OK', 10_000));
    }
    return figures({ waits, wrong, recoveries, progress });
  } finally {
    await connection.end();
    await stage.close();
    await proxy.close();
  }
}

async function onSqlite({ createUrl, quick, progress }: Setting) {
  const databaseUrl = await createUrl();
  const stage = await openStage(databaseUrl);
  try {
    const { caller } = await stage.start();
    const rival = createClient({ url: databaseUrl });
    const waits: number[] = [];
    const wrong: string[] = [];
    const recoveries: number[] = [];
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      progress('another process holds the write lock');
      const calls = await prepare(stage, caller);
      await rival.execute('update gk_wx_session set last_used_at = 0');
      const lock = await rival.transaction('write');
      const outcomes = await Promise.all(calls.map((call) => call()));
      note(outcomes, 'locked', { waits, wrong });
      await lock.rollback();
      recoveries.push(await timeUntil(async () => (await caller.checkUser(stage.code())).reason === 'OK', 10_000));
      await sleep(10);
    }
    rival.close();
    return figures({ waits, wrong, recoveries, progress });
  } finally {
    await stage.close();
  }
}

/** Calls of every kind, four each, ready to be made: those with a token need the database beforehand. */
async function prepare(stage: Stage, caller: Caller): Promise<(() => Promise<Outcome>)[]> {
  const tokens = await Promise.all(
    Array.from({ length: 12 }, async () => (await caller.checkUser(stage.code())).token),
  );
  const user = () => `rotated${Math.random()}`;
  const rotated = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const who = user();
      await caller.checkUser(stage.standin.phone.login({ user: who }).code);
      const { userInfo: _, errMsg: __, ...sealed } = stage.standin.phone.profile({ user: who });
      // A login that has to read the previous key before it writes.
      return { ...sealed, code: stage.standin.phone.login({ user: who, rotate: true }).code };
    }),
  );
  return [
    ...tokens.slice(0, 4).map((token) => () => caller.call('user.me', undefined, token)),
    ...tokens.slice(4, 8).map((token) => () => caller.call('auth.logout', undefined, token)),
    ...tokens.slice(8).map((token) => () => caller.call('auth.logoutAll', undefined, token)),
    ...rotated.map((input) => () => caller.call('auth.login', input)),
    ...Array.from({ length: 4 }, () => () => caller.checkUser(stage.code())),
  ];
}

function note(
  outcomes: readonly Outcome[],
  what: string,
  { waits, wrong }: { waits: number[]; wrong: string[] },
): void {
  for (const { reason, afterMs } of outcomes) {
    waits.push(afterMs);
    if (reason !== 'OK' && reason !== 'DATABASE_UNAVAILABLE') wrong.push(`${what}: ${reason}`);
  }
}

function figures({
  waits,
  wrong,
  recoveries,
  progress,
}: Pick<Setting, 'progress'> & { waits: number[]; wrong: string[]; recoveries: number[] }) {
  if (wrong.length > 0) progress(`not as the contract has it: ${wrong.slice(0, 5).join('; ')}`);
  return [
    {
      what: `${waits.length} calls, the longest wait`,
      value: Math.max(...waits),
      unit: 'ms' as const,
      atMost: 3000,
      noisy: true,
    },
    { what: 'neither served nor DATABASE_UNAVAILABLE', value: wrong.length, atMost: 0 },
    { what: 'well again after', value: Math.max(...recoveries), unit: 'ms' as const, atMost: 2000, noisy: true },
  ];
}
