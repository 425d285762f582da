import { setTimeout as sleep } from 'node:timers/promises';
import { tally, type Outcome } from '../caller.ts';
import type { Experiment } from '../experiment.ts';
import { openStage, timeUntil } from '../stage.ts';

const probeEveryMs = 10_000;

/** After 45011 WeChat is left alone until the next minute, save one probe every 10 s. */
export const quotaPause: Experiment = {
  name: 'quota-pause',
  on: ['SQLite'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    try {
      const { caller } = await stage.start();
      const forMs = quick ? 3000 : 35_000;
      // The pause ends with the minute: it has to begin early enough in one.
      const leftMs = 60_000 - (Date.now() % 60_000);
      if (leftMs < forMs + 2000) {
        progress(`waiting ${Math.ceil(leftMs / 1000)} s for the next minute`);
        await sleep(leftMs + 50);
      }
      stage.standin.phone.fault({ times: 100_000, fault: { kind: 'errcode', errcode: 45011 } });
      await caller.checkUser(stage.code());
      const before = stage.exchanges();
      const outcomes: Outcome[] = [];
      const begun = performance.now();
      while (performance.now() - begun < forMs) {
        outcomes.push(...(await Promise.all(Array.from({ length: 20 }, () => caller.checkUser(stage.code())))));
        progress(`${Math.round((performance.now() - begun) / 1000)} s: ${stage.exchanges() - before} probes`);
        await sleep(100);
      }
      const probes = stage.exchanges() - before;
      const { WECHAT_RATE_LIMITED = 0 } = tally(outcomes);
      stage.standin.phone.reset({ what: 'faults' });
      const toNextMinute = 60_000 - (Date.now() % 60_000);
      // The next probe finds WeChat well, or the minute ends.
      const backMs = quick
        ? 0
        : await timeUntil(async () => (await caller.checkUser(stage.code())).reason === 'OK', 61_000, 100);
      return [
        {
          what: `${outcomes.length} calls in ${Math.round(forMs / 1000)} s after 45011: reached WeChat`,
          value: probes,
          atMost: Math.ceil(forMs / probeEveryMs),
        },
        { what: 'not refused as WECHAT_RATE_LIMITED', value: outcomes.length - WECHAT_RATE_LIMITED, atMost: 0 },
        ...(quick
          ? []
          : [
              {
                what: 'served again after',
                value: backMs,
                unit: 'ms' as const,
                atMost: Math.min(toNextMinute, probeEveryMs) + 1500,
              },
            ]),
      ];
    } finally {
      await stage.close();
    }
  },
};
