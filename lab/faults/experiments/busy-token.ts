import type { Caller } from '../caller.ts';
import { percentile, type Experiment } from '../experiment.ts';
import { callSteadily, startLoad } from '../load.ts';
import { openStage } from '../stage.ts';

const connections = 50;

interface Busy {
  name: string;
  /** What the token does, for the report. */
  what: string;
  env: Readonly<Record<string, string>>;
  /** How many sessions its user has. */
  sessions: number;
  call: (caller: Caller, token: string) => ReturnType<Caller['call']>;
}

/** One token calls on 50 connections without a pause: other requests are read meanwhile, and others log in. */
const busyToken = ({ name, what, env, sessions, call }: Busy): Experiment => ({
  name,
  on: ['SQLite'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl(), env);
    try {
      const { caller } = await stage.start();
      let token = '';
      for (let count = 0; count < sessions; count++) {
        const { code } = stage.standin.phone.login({ user: 'busy' });
        token = (await caller.checkUser(code)).token ?? '';
      }
      const load = startLoad({ caller: () => caller, next: (busy) => call(busy, token), workers: connections });
      progress(`${connections} connections: ${what}`);
      const probes: number[] = [];
      const logins = await callSteadily(200, quick ? 4000 : 15_000, async () => {
        const startedAt = performance.now();
        await caller.status('/healthz');
        probes.push(performance.now() - startedAt);
        return await caller.checkUser(stage.code());
      });
      await load.stop();
      const waits = logins.map(({ afterMs }) => afterMs);
      const failed = logins.filter(({ reason }) => reason !== 'OK').length;
      return [
        {
          what: `beside ${load.outcomes.length} ${what} of one token on ${connections} connections: the median of /healthz`,
          value: percentile(probes, 0.5),
          unit: 'ms',
          atMost: 50,
          noisy: true,
        },
        {
          what: `the median of ${logins.length} others' logins`,
          value: percentile(waits, 0.5),
          unit: 'ms',
          atMost: 500,
          noisy: true,
        },
        { what: 'of them refused', value: failed, atMost: 0 },
      ];
    } finally {
      await stage.close();
    }
  },
});

/** Without the limit of writes: what is tried is that the work of one yields to the others. */
export const busyWriter = busyToken({
  name: 'busy-writer',
  what: 'writes',
  env: { USER_WRITES_PER_MINUTE: '0' },
  sessions: 1,
  call: (caller, token) => caller.call('user.updateProfile', { nickName: `name ${Math.random()}` }, token),
});

/** Of a user with more sessions than are listed. */
export const busyLister = busyToken({
  name: 'busy-lister',
  what: 'lists of sessions',
  env: { USER_WRITES_PER_MINUTE: '60' },
  sessions: 1000,
  call: (caller, token) => caller.call('auth.sessions', undefined, token),
});
