import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient } from '@libsql/client';
import { loadConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/operations/log.ts';
import { startServer } from '../../../src/server.ts';
import { devApp, startStandin } from '../../../packages/standin/src/server.ts';
import { createCaller } from '../caller.ts';
import { asCommand, type Message } from './message.ts';
import { type Mutation, mutations } from './mutate.ts';
import { createOracle } from './oracle.ts';
import { createPhones, type Sent } from './phones.ts';
import { createRandom, type Random } from './random.ts';
import { createWire } from './wire.ts';

export interface FuzzOptions {
  seed: number;
  requests: number;
  progress?: (done: number, statuses: ReadonlyMap<string, number>) => void;
}

export interface FuzzReport {
  requests: number;
  /** How often each status was answered; `none`: the connection ended without an answer. */
  statuses: ReadonlyMap<string, number>;
  /** Empty when all is well. */
  problems: { problem: string; index: number; command: string }[];
  heapGrowthMb: number;
  seconds: number;
}

/** Problems after which the rest of a run says nothing new. */
const maxProblems = 5;
const maxHeapGrowthMb = 120;
/** Requests before the heap is looked at for the first time: code that was never run takes room too. */
const warmUp = 1000;

/** Sends spoilt requests to the real server over real HTTP, and judges every answer. The same seed makes the same requests. */
export async function fuzz({ seed, requests, progress = () => {} }: FuzzOptions): Promise<FuzzReport> {
  const directory = await mkdtemp(path.join(tmpdir(), 'guoke-fuzz-'));
  const databaseUrl = `file:${directory}/fuzz.db`;
  const standin = await startStandin();
  const sealingSecret = createRandom(seed).bytes(32).toString('base64');
  const logged = createLeakLog();
  const server = await startServer(
    loadConfig({
      WX_APPID: devApp.appId,
      WX_SECRET: devApp.secret,
      WX_API_BASE_URL: standin.url,
      DATABASE_URL: databaseUrl,
      SESSION_KEY_SECRETS: `fuzz:${sealingSecret}`,
      PORT: '0',
      RATE_LIMIT_PER_MINUTE: '0',
      USER_WRITES_PER_MINUTE: '0',
    }),
    { log: createLog('info', logged) },
  );
  const phones = createPhones(standin);
  const wire = createWire(server.url);
  const begun = performance.now();
  const statuses = new Map<string, number>();
  const problems: FuzzReport['problems'] = [];
  const sessions = { issued: 0, revoked: 0, unknown: 0 };
  const judge = createOracle({
    secrets: () => new Map([['the app secret', devApp.secret], ['the sealing secret', sealingSecret], ...secretsOf()]),
    onToken: (token) => {
      sessions.issued += 1;
      phones.keep(token);
      logged.watch(token);
    },
    onRevoked: (count) => {
      sessions.revoked += count;
    },
  });

  try {
    let heapBefore = 0;
    for (let index = 0; index < requests && problems.length < maxProblems; index++) {
      if (index === Math.min(warmUp, requests >> 1)) heapBefore = heapMb();
      // The stand-in keeps a fault until its code is exchanged, and many of these never are.
      if (index % 10_000 === 9999) standin.phone.reset({ what: 'faults' });
      const problem = await attempt(index, 'all');
      if (problem) problems.push({ problem, index, command: asCommand(server.url, await minimal(index, problem)) });
      if (index % 500 === 499) progress(index + 1, statuses);
    }
    const heapGrowthMb = heapMb() - heapBefore;
    const afterwards = [...(await aftermath()), ...logged.leaks()];
    if (heapGrowthMb > maxHeapGrowthMb) afterwards.push(`the heap has grown by ${heapGrowthMb.toFixed(0)} MB`);
    for (const problem of afterwards)
      problems.push({ problem, index: requests, command: `npm run fuzz -- --seed ${seed} --requests ${requests}` });
    return { requests, statuses, problems, heapGrowthMb, seconds: (performance.now() - begun) / 1000 };
  } finally {
    wire.close();
    await server.close();
    await standin.close();
    await rm(directory, { recursive: true, force: true });
  }

  function* secretsOf(): Generator<[string, string]> {
    for (const user of phones.users) {
      const { sessionKey, openid } = standin.person(user);
      yield [`the session key of ${user}`, sessionKey];
      yield [`the session key of ${user} as hexadecimal`, Buffer.from(sessionKey, 'base64').toString('hex')];
      yield [`the openid of ${user}`, openid];
    }
  }

  /** Makes the request of this index and spoils it: by all its mutations, or by those at these places of their list. */
  function make(index: number, places: 'all' | readonly number[]): { sent: Sent; steps: number } {
    const random = createRandom(seed * 1_000_003 + index);
    const sent = phones.request(random);
    const steps = stepsOf(random);
    for (const [place, { mutation, random: own }] of steps.entries()) {
      if (places === 'all' || places.includes(place)) mutation(sent.message, own);
    }
    sent.codes.forEach(logged.watch);
    return { sent, steps: steps.length };
  }

  async function attempt(index: number, places: 'all' | readonly number[]): Promise<string | null> {
    const { sent } = make(index, places);
    const reply = await wire.send(sent.message, mayStall(sent.message));
    const status = String(reply?.status ?? 'none');
    if (places === 'all') statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (reply) return judge(sent, reply);
    // Its calls may have been made or not.
    sessions.unknown += 10;
    return mayStall(sent.message) || mayBeCut(sent.message) ? null : 'no answer';
  }

  /** The request with as few of its mutations as show the same problem. */
  async function minimal(index: number, problem: string): Promise<Message> {
    let places = Array.from({ length: make(index, 'all').steps }, (_, place) => place);
    for (const place of places.slice()) {
      const without = places.filter((each) => each !== place);
      if ((await attempt(index, without)) === problem) places = without;
    }
    return make(index, places).sent.message;
  }

  /** What has to hold when all is over. */
  async function aftermath(): Promise<string[]> {
    const caller = createCaller(server.url);
    const said: string[] = [];
    for (const probe of ['/healthz', '/readyz']) {
      const status = await caller.status(probe);
      if (status !== 200) said.push(`${probe} says ${status} afterwards`);
    }
    const { reason, token = '' } = await caller.checkUser(standin.phone.login({ user: 'afterwards' }).code);
    const me = await caller.me(token);
    if (reason !== 'OK' || me.reason !== 'OK') said.push(`a good login afterwards: ${reason}, ${me.reason}`);
    await caller.close();

    const client = createClient({ url: databaseUrl });
    const { rows } = await client.execute('select count(*) as count from gk_wx_session');
    client.close();
    const stored = Number(rows[0]?.count);
    const expected = sessions.issued - sessions.revoked + 1;
    // No refused request has left a session behind.
    if (stored > expected + sessions.unknown || stored < expected - sessions.unknown) {
      said.push(
        `${stored} sessions are stored, ${expected} tokens were answered and not revoked (${sessions.unknown} not known)`,
      );
    }
    return said;
  }
}

/** Up to four changes, each with numbers of its own: leaving one out leaves the others as they are. */
function stepsOf(random: Random): { mutation: Mutation; random: Random }[] {
  const all = Object.values(mutations);
  const count = random.chance(0.15) ? 0 : 1 + random.below(4);
  return Array.from({ length: count }, () => ({
    mutation: random.pick(all),
    random: createRandom(random.below(2 ** 31)),
  }));
}

/** Whether the server may rightly wait for more: the request promises what it does not send. */
function mayStall({ headers, framing, method }: Message): boolean {
  const oddLength = headers.some(([name, value]) => /content-length|transfer-encoding/i.test(name) && value !== '');
  return (
    oddLength ||
    method === 'CONNECT' ||
    (framing === 'chunked' && headers.some(([name]) => /content-length/i.test(name)))
  );
}

/** Whether Node may end the connection without an answer: it does not answer a message that it cannot read. */
function mayBeCut({ method, body }: Message): boolean {
  return method === 'CONNECT' || body.length > 64 * 1024;
}

function heapMb(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Keeps no lines: looks into each for what no log may hold. */
function createLeakLog() {
  const watched = new Set<string>();
  const found = new Set<string>();
  return {
    watch: (secret: string) => void watched.add(secret),
    write(line: string): void {
      for (const [word] of line.matchAll(/[A-Za-z0-9_-]{16,}/g)) {
        if (watched.has(word)) found.add('a log line holds a code or a token');
      }
      if (line.includes(devApp.secret)) found.add('a log line holds the app secret');
    },
    leaks: () => [...found],
  };
}
