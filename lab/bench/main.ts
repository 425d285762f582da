import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { findMariaDb, startMariaDb } from '../../test/support/mariadb.ts';
import { buildAll, root } from './build.ts';
import { chart } from './chart.ts';
import { createTables, start } from './contestants.ts';
import { growth } from './growth.ts';
import { measure, type Sample, warmUp } from './measure.ts';
import { startLoad, startNode } from './processes.ts';
import { createProgress } from './progress.ts';
import { goals, table } from './report.ts';

// `npm run bench`: the server beside its baselines, one after the other in each round. See docs/performance.md.

const { values: options } = parseArgs({
  options: {
    /** Fewer and shorter rounds: under two minutes. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    /** 1e3 to 1e6 users, SQLite, two processes, batches, instead of the baselines. */
    growth: { type: 'boolean', default: false },
    /** Another build of the server to run beside this one: the path of its main.js. */
    beside: { type: 'string', multiple: true, default: [] },
    /** A build of the server to run instead of making one: the path of its main.js. */
    main: { type: 'string' },
    only: { type: 'string', multiple: true },
  },
});

const program = findMariaDb();
if (!program) throw new Error('There is no mariadbd here. Install one (Debian: apt install mariadb-server-core).');
const built = await buildAll(options.main);
// A million users are some 500 MB: as an operator would, it gets buffers that hold them, and half as much of a log.
const mariadb = await startMariaDb(program, options.growth ? { bufferMb: 1024, logMb: 512 } : undefined);
const standin = await startNode(built.standin, {}, 'url');
const standinUrl: string = JSON.parse(standin.line).url;
const load = startLoad(built.load);
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)} at the start`,
);
try {
  const [, ours] = built.entries;
  if (options.growth && ours) await growth({ entry: ours, load, standinUrl, mariadb, quick: options.quick });
  else await compare();
} finally {
  load.stop();
  await standin.stop();
  await mariadb.remove();
}

async function compare(): Promise<void> {
  const { quick } = options;
  const rounds = Number(options.rounds ?? (quick ? 3 : 9));
  const [loginSeconds, meSeconds] = quick ? [2, 1.2] : [4, 2.5];
  const entries = [
    ...built.entries,
    ...options.beside.map((file, index) => ({ name: `beside ${index + 1}`, file, isOurs: true })),
  ].filter(({ name }) => options.only?.includes(name) ?? true);
  const contestants = await Promise.all(
    entries.map(async (entry) => await start(entry, await createTables(mariadb.url), standinUrl)),
  );
  // More users than connections, few enough to be there after the first round.
  const bench = { load, standinUrl, databasePid: mariadb.pid(), users: 2000 };
  const login = new Map<string, Sample[]>(entries.map(({ name }) => [name, []]));
  const me = new Map<string, Sample[]>(entries.map(({ name }) => [name, []]));
  const progress = createProgress((rounds + 1) * entries.length);

  for (let round = -1; round < rounds; round++) {
    // Each round begins with another one, so that nobody always comes after the same.
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + Math.max(round, 0)) % contestants.length];
      if (!contestant) continue;
      // As many calls for each, not as much time: what is slow would be measured while it is still being compiled.
      if (round < 0) await warmUp(bench, contestant, quick ? 4000 : 12_000);
      const logins = await measure(bench, contestant, contestant.login, loginSeconds);
      const mes = await measure(bench, contestant, contestant.me, meSeconds);
      progress.step(`${contestant.name}, ${round < 0 ? 'warming up' : `round ${round + 1}`}`);
      if (round < 0) continue;
      login.get(contestant.name)?.push(logins);
      me.get(contestant.name)?.push(mes);
    }
  }
  for (const contestant of contestants) await contestant.stop();

  console.log(table(`auth.login, 32 connections, ${rounds} rounds of ${loginSeconds} s`, login));
  console.log(table(`user.me, 32 connections, ${rounds} rounds of ${meSeconds} s`, me));
  if (options.only) return;
  console.log('');
  const results = goals(login, me);
  for (const { what, value, isMet, isNoisy } of results) {
    console.log(
      `${isMet ? '✓' : '✗'} ${what}: ${value.toFixed(2)}${isNoisy ? '  (too noisy to quote: run it on a quieter machine)' : ''}`,
    );
  }
  await mkdir(`${root}docs/images`, { recursive: true });
  await writeFile(`${root}docs/images/performance.svg`, chart(login, me));
  console.log('\nChart: docs/images/performance.svg');
}
