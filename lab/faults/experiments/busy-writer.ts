import { callSteadily, startLoad } from '../load.ts';
import { percentile, type Experiment } from '../experiment.ts';
import { openStage } from '../stage.ts';

const connections = 50;

/** One token writes on 50 connections without a pause: other requests are read meanwhile, and others log in. */
export const busyWriter: Experiment = {
  name: 'busy-writer',
  on: ['SQLite'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    try {
      const { caller } = await stage.start();
      const { token } = await caller.checkUser(stage.code());
      const write = startLoad({
        caller: () => caller,
        next: (writing) => writing.call('user.updateProfile', { nickName: `name ${Math.random()}` }, token),
        workers: connections,
      });
      progress(`${connections} connections write`);
      const probes: number[] = [];
      const logins = await callSteadily(200, quick ? 4000 : 15_000, async () => {
        const startedAt = performance.now();
        await caller.status('/healthz');
        probes.push(performance.now() - startedAt);
        return await caller.checkUser(stage.code());
      });
      await write.stop();
      const waits = logins.map(({ afterMs }) => afterMs);
      const failed = logins.filter(({ reason }) => reason !== 'OK').length;
      const beside = `${write.outcomes.length} writes of one token on ${connections} connections`;
      return [
        {
          what: `beside ${beside}: the median of /healthz`,
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
};
