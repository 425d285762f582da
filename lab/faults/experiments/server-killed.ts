import { setTimeout as sleep } from 'node:timers/promises';
import { countInvalid } from '../caller.ts';
import { percentile, type Experiment } from '../experiment.ts';
import { startLoad } from '../load.ts';
import { openStage } from '../stage.ts';

/** `kill -9` of the server under load: it starts again by itself, and no acknowledged login is lost. */
export const serverKilled: Experiment = {
  name: 'server-killed',
  on: ['MariaDB', 'SQLite', 'TiDB'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    try {
      let { server, caller } = await stage.start();
      const kills = quick ? 2 : 20;
      const starts: number[] = [];
      const tokens: string[] = [];
      let invalid = 0;
      for (let kill = 1; kill <= kills; kill++) {
        const killed = caller;
        const load = startLoad({ caller: () => killed, next: (each) => each.checkUser(stage.code()), workers: 8 });
        await sleep(500 + Math.random() * 700);
        server.kill('SIGKILL');
        await server.exit;
        await load.stop();
        const begun = performance.now();
        ({ server, caller } = await stage.start());
        starts.push(performance.now() - begun);
        tokens.push(...load.tokens);
        invalid += await countInvalid(caller, load.tokens);
        progress(`kill ${kill} of ${kills}: ${tokens.length} tokens, ${invalid} lost`);
      }
      progress(`asking for all ${tokens.length} tokens once more`);
      const lost = await countInvalid(caller, tokens);
      return [
        {
          what: `${kills} kills: of ${tokens.length} acknowledged tokens lost`,
          value: Math.max(lost, invalid),
          atMost: 0,
        },
        { what: 'a start takes, median', value: percentile(starts, 0.5), unit: 'ms' },
        { what: 'worst', value: Math.max(...starts), unit: 'ms', atMost: 10_000, noisy: true },
      ];
    } finally {
      await stage.close();
    }
  },
};
