import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tally } from '../caller.ts';
import type { Experiment } from '../experiment.ts';
import { openStage, timeUntil } from '../stage.ts';

/** SIGTERM with logins in flight and silent connections open: all are answered, new ones refused, and it ends with 0. */
export const shutdown: Experiment = {
  name: 'shutdown',
  on: ['MariaDB', 'SQLite'],
  async run({ createUrl, quick, progress }) {
    const rounds = quick ? 1 : 3;
    const inFlight = 100;
    const durations: number[] = [];
    const codes: (number | null)[] = [];
    let unanswered = 0;
    let ready503 = 0;
    let refused = 0;
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      const stage = await openStage(await createUrl());
      try {
        const { server, caller } = await stage.start();
        const { hostname, port } = new URL(server.url);
        const stalled = await Promise.all(
          ['', 'POST /trpc/auth.checkUser HTTP/1.1\r\nhost: x\r\n', body].map((text) =>
            openStalled(Number(port), hostname, text),
          ),
        );
        await caller.checkUser(stage.code());
        const calls = Array.from({ length: inFlight }, () => {
          const code = stage.code();
          stage.standin.phone.fault({ code, fault: { kind: 'delay', ms: 1500 } });
          return caller.checkUser(code);
        });
        await timeUntil(async () => stage.exchanges() > inFlight, 5000);
        const begun = performance.now();
        server.kill('SIGTERM');
        const drainMs = await timeUntil(async () => (await caller.status('/readyz')) === 503, 900);
        if (drainMs < 900) ready503 += 1;
        const { OK = 0 } = tally(await Promise.all(calls));
        unanswered += inFlight - OK;
        const refusedMs = await timeUntil(() => isRefused(Number(port), hostname), 3000);
        if (refusedMs < 3000) refused += 1;
        codes.push((await server.exit).code);
        durations.push(performance.now() - begun);
        for (const socket of stalled) socket.destroy();
      } finally {
        await stage.close();
      }
    }
    return [
      { what: `${rounds} × ${inFlight} logins in flight: not answered`, value: unanswered, atMost: 0 },
      { what: 'readyz 503 first', value: ready503, atLeast: rounds },
      { what: 'new connections refused', value: refused, atLeast: rounds },
      { what: 'ended otherwise than with 0', value: codes.filter((code) => code !== 0).length, atMost: 0 },
      { what: 'within', value: Math.max(...durations), unit: 'ms', atMost: 15_000 },
    ];
  },
};

const body =
  'POST /trpc/auth.checkUser HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"co';

async function openStalled(port: number, host: string, text: string): Promise<Socket> {
  const socket = connect(port, host).on('error', () => {});
  await once(socket, 'connect');
  socket.resume().write(text);
  return socket;
}

function isRefused(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}
