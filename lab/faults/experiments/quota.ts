import { setTimeout as sleep } from 'node:timers/promises';
import { type Outcome, tally } from '../caller.ts';
import type { Experiment } from '../experiment.ts';
import { openStage } from '../stage.ts';

const others = 120;

/** One user goes on calling after their own quota at WeChat is used up: WeChat refuses the codes of that user alone. */
export const quota: Experiment = {
  name: 'quota',
  on: ['SQLite'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    try {
      const { caller } = await stage.start();
      const refused: Outcome[] = [];
      const served: Outcome[] = [];
      // Four refusals a second, as the caller of the review did; in short, as fast as the others call.
      const restMs = quick ? 0 : 250;
      for (const errcode of [45011, 45009]) {
        for (let call = 0; call < others / 2; call++) {
          const { code } = stage.standin.phone.login({ user: 'noisy' });
          stage.standin.phone.fault({ code, path: '/sns/jscode2session', fault: { kind: 'errcode', errcode } });
          refused.push(await caller.checkUser(code));
          served.push(await caller.checkUser(stage.code()));
          progress(`${served.length} logins of others beside ${refused.length} refusals`);
          await sleep(restMs);
        }
      }
      return [
        { what: `logins of others, of ${others}: not served`, value: others - (tally(served).OK ?? 0), atMost: 0 },
        {
          what: `calls of the user without quota, of ${others}: not told WECHAT_RATE_LIMITED`,
          value: others - (tally(refused).WECHAT_RATE_LIMITED ?? 0),
          atMost: 0,
        },
        { what: 'exchanges that WeChat saw', value: stage.exchanges(), atMost: 2 * others },
      ];
    } finally {
      await stage.close();
    }
  },
};
