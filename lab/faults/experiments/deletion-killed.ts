import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../../src/store/open.ts';
import type { Experiment } from '../experiment.ts';
import { openStage } from '../stage.ts';

/** `kill -9` of the server amid deletions: each user is there whole or gone whole, and an acknowledged deletion is done. */
export const deletionKilled: Experiment = {
  name: 'deletion-killed',
  on: ['MariaDB', 'SQLite'],
  async run({ createUrl, quick, progress }) {
    const databaseUrl = await createUrl();
    const stage = await openStage(databaseUrl);
    const store = await openStore({ databaseUrl, timeoutMs: 10_000, poolSize: 4 });
    try {
      const kills = quick ? 2 : 20;
      const users = 60;
      const found = { undone: 0, half: 0, acknowledged: 0, cut: 0 };
      for (let kill = 1; kill <= kills; kill++) {
        const { server, caller } = await stage.start();
        const names = Array.from({ length: users }, (_, index) => `deleted${kill}-${index}`);
        const codeOf = (user: string) => stage.standin.phone.login({ user }).code;
        const tokens = await Promise.all(names.map(async (user) => (await caller.checkUser(codeOf(user))).token));
        const outcomes = names.map((user, index) =>
          caller.call('user.deleteAccount', { code: codeOf(user) }, tokens[index]),
        );
        await Promise.race(outcomes);
        await sleep(Math.random() * 150);
        server.kill('SIGKILL');
        await server.exit;
        for (const [index, user] of names.entries()) {
          const { reason } = (await outcomes[index]) ?? { reason: 'NO_ANSWER' };
          const { openid } = stage.standin.person(user);
          const isThere = (await store.findUser(openid)) !== null;
          const sessions = await store.listSessions(openid, 0, 10);
          if (reason === 'OK') found.acknowledged += 1;
          else found.cut += 1;
          if (reason === 'OK' && isThere) found.undone += 1;
          if (isThere !== sessions.length > 0) found.half += 1;
        }
        progress(`kill ${kill} of ${kills}: ${found.acknowledged} acknowledged, ${found.cut} cut off`);
      }
      return [
        { what: `of ${found.acknowledged} acknowledged deletions not done`, value: found.undone, atMost: 0 },
        { what: `of ${found.cut} cut off, users who are there in part`, value: found.half, atMost: 0 },
        { what: 'deletions cut off', value: found.cut, atLeast: 1, noisy: true },
      ];
    } finally {
      await store.close();
      await stage.close();
    }
  },
};
