import { callSteadily } from '../load.ts';
import { percentile, type Experiment } from '../experiment.ts';
import { openStage } from '../stage.ts';

const everyMs = 20;

/** Half of WeChat's answers hang: the logins of the other half do not notice. */
export const halfHanging: Experiment = {
  name: 'half-hanging',
  on: ['SQLite', 'MariaDB', 'TiDB'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    try {
      const { caller } = await stage.start();
      const forMs = quick ? 1500 : 12_000;
      const usual = () => callSteadily(everyMs, forMs, () => caller.checkUser(stage.code()));
      progress('the usual');
      await callSteadily(everyMs, quick ? 500 : 2000, () => caller.checkUser(stage.code()));
      const before = await usual();
      progress('half of the answers hang');
      const hanging = new Set<number>();
      const mixed = await callSteadily(everyMs, forMs, (index) => {
        const code = stage.code();
        if (index % 2 === 1) {
          hanging.add(index);
          stage.standin.phone.fault({ code, fault: { kind: 'hang' } });
        }
        return caller.checkUser(code);
      });
      progress('the usual again');
      const after = await usual();

      const others = mixed.filter((_, index) => !hanging.has(index));
      const hung = mixed.filter((_, index) => hanging.has(index));
      const usualP99 = percentile(
        [...before, ...after].map(({ afterMs }) => afterMs),
        0.99,
      );
      const p99 = percentile(
        others.map(({ afterMs }) => afterMs),
        0.99,
      );
      const served = others.filter(({ reason }) => reason === 'OK').length;
      return [
        { what: `${others.length} others served`, value: (served / others.length) * 100, unit: '%', atLeast: 99 },
        {
          what: `their p99 (usual: ${usualP99.toFixed(0)} ms)`,
          value: p99,
          unit: 'ms',
          atMost: usualP99 * 2,
          noisy: true,
        },
        {
          what: `${hung.length} hanging ones that did not end as WECHAT_TIMEOUT`,
          value: hung.filter(({ reason }) => reason !== 'WECHAT_TIMEOUT').length,
          atMost: 0,
        },
      ];
    } finally {
      await stage.close();
    }
  },
};
