import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { callSteadily } from '../load.ts';
import { percentile, type Experiment } from '../experiment.ts';
import { openStage } from '../stage.ts';

const stalledBody =
  'POST /trpc/auth.checkUser HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"code":"';

/** Stalled bodies and silent sockets are closed within 15 s, and the others' logins stay fast meanwhile. */
export const stalledFlood: Experiment = {
  name: 'stalled-flood',
  on: ['SQLite', 'MariaDB'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    try {
      const { server, caller } = await stage.start();
      const [stalled, silent] = quick ? [150, 50] : [1500, 500];
      const { hostname, port } = new URL(server.url);
      const steady = (forMs: number) => callSteadily(25, forMs, () => caller.checkUser(stage.code()));
      await steady(1500);
      progress('the usual');
      const usual = await steady(quick ? 1000 : 8000);
      progress(`${stalled} stalled bodies and ${silent} silent sockets`);
      const others = steady(quick ? 13_000 : 16_000);
      const lives: Promise<number>[] = [];
      for (let index = 0; index < stalled + silent; index++) {
        lives.push(lifeOf(Number(port), hostname, index < stalled ? stalledBody : ''));
        if (index % 50 === 49) await sleep(20);
      }
      const livesMs = await Promise.all(lives);
      const outcomes = await others;
      const waits = outcomes.map(({ afterMs }) => afterMs);
      // 100 ms on a machine of one's own; on one so busy that the usual is near that already, twice the usual.
      const usualP99 = percentile(
        usual.map(({ afterMs }) => afterMs),
        0.99,
      );
      return [
        {
          what: `${stalled} stalled bodies, ${silent} silent sockets: the last closed after`,
          value: Math.max(...livesMs),
          unit: 'ms',
          atMost: 15_000,
        },
        {
          what: `the p99 of ${waits.length} other logins (usual: ${usualP99.toFixed(0)} ms)`,
          value: percentile(waits, 0.99),
          unit: 'ms',
          atMost: Math.max(100, usualP99 * 2),
          noisy: true,
        },
        { what: 'of them refused', value: outcomes.filter(({ reason }) => reason !== 'OK').length, atMost: 0 },
      ];
    } finally {
      await stage.close();
    }
  },
};

/** Milliseconds from the connection to its end; 60,000 for one that stays open. */
function lifeOf(port: number, host: string, text: string): Promise<number> {
  return new Promise((resolve) => {
    const begun = performance.now();
    const socket = connect(port, host, () => socket.write(text));
    const late = setTimeout(() => socket.destroy(), 60_000);
    socket
      .resume()
      .on('error', () => {})
      .on('close', () => {
        clearTimeout(late);
        resolve(performance.now() - begun);
      });
  });
}

/** A batch of ten costs at most ten calls to WeChat; a longer one none. */
export const batches: Experiment = {
  name: 'batches',
  on: ['SQLite'],
  async run({ createUrl, quick }) {
    const stage = await openStage(await createUrl());
    try {
      const { server } = await stage.start();
      const rounds = quick ? 3 : 50;
      const send = async (size: number): Promise<number> => {
        const before = stage.exchanges();
        const names = Array.from({ length: size }, () => 'auth.checkUser').join(',');
        const input = Object.fromEntries(Array.from({ length: size }, (_, index) => [index, { code: stage.code() }]));
        await fetch(`${server.url}/trpc/${names}?batch=1`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(input),
        });
        return stage.exchanges() - before;
      };
      const costs = { ten: 0, more: 0 };
      for (let round = 0; round < rounds; round++) {
        costs.ten = Math.max(costs.ten, await send(10));
        for (const size of [11, 12, 100, 1000]) costs.more += await send(size);
      }
      return [
        { what: `${rounds} batches of 10: calls to WeChat for one`, value: costs.ten, atMost: 10 },
        { what: `${rounds * 4} longer ones: calls in all`, value: costs.more, atMost: 0 },
      ];
    } finally {
      await stage.close();
    }
  },
};

/** An address that calls too often is refused before WeChat is asked: by call, not by request, whatever it says of itself. */
export const addressFlood: Experiment = {
  name: 'address-flood',
  on: ['SQLite'],
  async run({ createUrl, quick, progress }) {
    const limit = quick ? 50 : 300;
    const stage = await openStage(await createUrl());
    try {
      const { server } = await stage.start({ RATE_LIMIT_PER_MINUTE: String(limit) });
      // Calls of one minute: the count must not begin anew in their midst.
      const leftMs = 60_000 - (Date.now() % 60_000);
      if (leftMs < 10_000) {
        progress('waiting for the next minute');
        await sleep(leftMs);
      }
      const batch = Array.from({ length: 10 }, () => 'auth.checkUser').join(',');
      const refusals: number[] = [];
      for (let sent = 0; sent < limit * 3; sent += 10) {
        const input = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [index, { code: stage.code() }]));
        const response = await fetch(`${server.url}/trpc/${batch}?batch=1`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-forwarded-for': `203.0.113.${sent % 250}`,
            'x-real-ip': `198.51.100.${sent % 250}`,
          },
          body: JSON.stringify(input),
        });
        const answers = (await response.json()) as { error?: { data: { reason: string } } }[];
        refusals.push(answers.filter((answer) => answer.error?.data.reason === 'RATE_LIMITED').length);
      }
      const refused = refusals.reduce((sum, each) => sum + each, 0);
      return [
        {
          what: `${limit * 3} calls in batches from one address with a limit of ${limit}: reached WeChat`,
          value: stage.exchanges(),
          atMost: limit,
          atLeast: limit,
        },
        { what: 'refused as RATE_LIMITED', value: refused, atLeast: limit * 2 },
      ];
    } finally {
      await stage.close();
    }
  },
};
