import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from '../../../test/support/mariadb.ts';
import { startBallast } from '../ballast.ts';
import { type Caller, countInvalid, type Outcome, tally } from '../caller.ts';
import { type Experiment, type Figure, percentile } from '../experiment.ts';
import { lacksForGalera, type Node, startGalera } from '../galera.ts';
import { startLoad } from '../load.ts';
import { openStage, type Stage, timeUntil } from '../stage.ts';
import { isWhole, startMigrator } from './migrations.ts';

interface Room {
  stage: Stage;
  /** Of an instance on each node. */
  callers: readonly Caller[];
  quick: boolean;
  progress: (text: string) => void;
}

/** Three nodes of a Galera cluster with an instance on each: what one has answered holds on the others, on the very next call. */
export const cluster: Experiment = {
  name: 'cluster',
  on: ['MariaDB'],
  lacks: lacksForGalera,
  async run({ quick, progress }) {
    progress('three nodes start');
    const galera = await startGalera();
    const { nodes } = galera;
    try {
      const starts = await startTogether(nodes, quick, progress);
      const { pathname } = new URL(await createDatabase(nodes[0]?.url ?? ''));
      const stage = await openStage(`${nodes[0]?.url}${pathname}`);
      try {
        const servers = await Promise.all(nodes.map(({ url }) => stage.start({ DATABASE_URL: `${url}${pathname}` })));
        const room: Room = { stage, callers: servers.map(({ caller }) => caller), quick, progress };
        return [
          ...starts,
          ...(await nextNode(room, nodes)),
          ...(await hotUsers(room)),
          ...(await nodeKilled(room, nodes)),
        ];
      } finally {
        await stage.close();
      }
    } finally {
      await galera.remove();
    }
  },
};

/** Two instances on each node migrate an empty database at the same moment. */
async function startTogether(nodes: readonly Node[], quick: boolean, progress: Room['progress']): Promise<Figure[]> {
  const rounds = quick ? 3 : 10;
  const places = [...nodes, ...nodes];
  const migrators = await Promise.all(places.map(startMigrator));
  const failures: string[] = [];
  let broken = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const { pathname } = new URL(await createDatabase(nodes[0]?.url ?? ''));
      // Every node has the database before the first instance asks for it.
      await sleep(300);
      const migrating = migrators.map((migrator, index) => migrator.migrate(`${places[index]?.url}${pathname}`));
      for (const word of await Promise.all(migrating)) if (word !== 'done') failures.push(word ?? 'ended');
      for (const { url } of nodes) broken += (await isWhole(`${url}${pathname}`)) ? 0 : 1;
      progress(`start ${round} of ${rounds}${failures.length > 0 ? `; failed: ${failures.at(-1)}` : ''}`);
    }
  } finally {
    await Promise.all(migrators.map((migrator) => migrator.kill()));
  }
  return [
    { what: `${rounds} × ${places.length} starts on an empty database: failures`, value: failures.length, atMost: 0 },
    { what: 'nodes that took no login afterwards', value: broken, atMost: 0 },
  ];
}

/** Each step is asked of the node after the one that answered the step before, while every node has much to apply. */
async function nextNode({ stage, callers, quick, progress }: Room, nodes: readonly Node[]): Promise<Figure[]> {
  const [tokens, profiles] = quick ? [60, 30] : [300, 150];
  const caller = (index: number) => callers[index % callers.length] ?? callers[0];
  const outcomes = {
    refused: [] as Outcome[],
    served: [] as Outcome[],
    rejected: [] as Outcome[],
    failed: [] as Outcome[],
  };

  const ballast = await Promise.all(nodes.map(({ url }) => startBallast(url)));

  async function tokenHolds(index: number): Promise<void> {
    const login = await caller(index)?.checkUser(stage.standin.phone.login({ user: `next${index}` }).code);
    if (login?.token === undefined) return void outcomes.failed.push(...(login ? [login] : []));
    const me = await caller(index + 1)?.me(login.token);
    if (me && me.reason !== 'OK') outcomes.refused.push(me);
    const logout = await caller(index + 1)?.call('auth.logout', undefined, login.token);
    if (logout && logout.reason !== 'OK') outcomes.failed.push(logout);
    const late = await caller(index + 2)?.me(login.token);
    if (late && late.reason !== 'SESSION_INVALID') outcomes.served.push(late);
  }

  async function profileHolds(index: number): Promise<void> {
    const user = `profile${index}`;
    const { phone } = stage.standin;
    const check = await caller(index)?.checkUser(phone.login({ user }).code);
    if (check && check.reason !== 'OK') return void outcomes.failed.push(check);
    const { rawData, signature, encryptedData, iv } = phone.profile({ user });
    const { code } = phone.login({ user, rotate: true });
    const login = await caller(index + 1)?.call('auth.login', { code, rawData, signature, encryptedData, iv });
    if (login && login.reason !== 'OK') outcomes.rejected.push(login);
  }

  await inParallel(tokens, tokenHolds);
  progress(`${tokens} tokens: ${JSON.stringify(tally(outcomes.refused))} ${JSON.stringify(tally(outcomes.served))}`);
  await inParallel(profiles, profileHolds);
  for (const each of ballast) await each.stop();
  if (outcomes.rejected.length > 0) progress(`failed: ${JSON.stringify(tally(outcomes.rejected))}`);
  return [
    { what: `${tokens} tokens: refused on the next node`, value: outcomes.refused.length, atMost: 0 },
    { what: 'revoked and still served on the next', value: outcomes.served.length, atMost: 0 },
    {
      what: `${profiles} profiles sealed with another node's key: rejected`,
      value: outcomes.rejected.length,
      atMost: 0,
    },
    { what: 'of these calls failed otherwise', value: outcomes.failed.length, atMost: 0 },
  ];
}

/** Twenty users log in on all nodes at once, so that nodes write the same rows. */
async function hotUsers({ stage, callers, quick, progress }: Room): Promise<Figure[]> {
  let calls = 0;
  const next = (one: Caller) => one.checkUser(stage.standin.phone.login({ user: `hot${calls++ % 20}` }).code);
  const loads = callers.map((each) => startLoad({ caller: () => each, next, workers: 8 }));
  await sleep(quick ? 4000 : 15_000);
  for (const load of loads) await load.stop();
  const outcomes = loads.flatMap((load) => load.outcomes);
  const { OK = 0, ...others } = tally(outcomes);
  progress(`hot users: ${OK} served; not as ${JSON.stringify(others)}`);
  return [
    { what: `${outcomes.length} logins of 20 users on all nodes: not served`, value: outcomes.length - OK, atMost: 0 },
    {
      what: 'their median',
      value: percentile(
        outcomes.map(({ afterMs }) => afterMs),
        0.5,
      ),
      unit: 'ms',
    },
  ];
}

/** A node is killed and joins again under load. */
async function nodeKilled({ stage, callers, quick, progress }: Room, nodes: readonly Node[]): Promise<Figure[]> {
  const loads = callers.map((each) =>
    startLoad({ caller: () => each, next: (one) => one.checkUser(stage.code()), workers: 3 }),
  );
  await sleep(quick ? 1000 : 4000);
  await nodes[2]?.kill();
  const survivors = callers.slice(0, 2);
  const serve = async (some: readonly Caller[]) => {
    const outcomes = await Promise.all(some.map((each) => each.checkUser(stage.code())));
    return outcomes.every(({ reason }) => reason === 'OK');
  };
  const survivedMs = await timeUntil(() => serve(survivors), 60_000);
  progress(`a node is gone; the others serve again after ${survivedMs.toFixed(0)} ms`);
  await sleep(quick ? 1000 : 4000);
  await nodes[2]?.join();
  const rejoinedMs = await timeUntil(() => serve(callers), 60_000);
  await sleep(1000);
  for (const load of loads) await load.stop();
  const tokens = loads.flatMap((load) => load.tokens);
  let lost = 0;
  for (const caller of callers) lost += await countInvalid(caller, tokens);
  const { OK = 0, DATABASE_UNAVAILABLE = 0, ...others } = tally(loads.flatMap((load) => load.outcomes));
  const odd = Object.values(others).reduce((sum, count) => sum + count, 0);
  if (odd > 0) progress(`not as promised: ${JSON.stringify(others)}`);
  return [
    { what: `a node killed and back: of ${tokens.length} tokens lost on any node`, value: lost, atMost: 0 },
    { what: `${OK} served, ${DATABASE_UNAVAILABLE} refused as 503, anything else`, value: odd, atMost: 0 },
    { what: 'the other nodes serve again after', value: survivedMs, unit: 'ms', atMost: 20_000, noisy: true },
    { what: 'all serve once it has joined, after', value: rejoinedMs, unit: 'ms', atMost: 20_000, noisy: true },
  ];
}

/** Few at a time: a machine that is busy with the calls gives the nodes time to catch up. */
async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 3 }, worker));
}
