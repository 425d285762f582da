import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { findMariaDb, startMariaDb } from '../test/support/mariadb.ts';
import { buildAll, root } from './build.ts';
import { chart } from './chart.ts';
import { compare } from './comparison.ts';
import { goals } from './goals.ts';
import { growth } from './growth.ts';
import { startLoad, startNode } from './processes.ts';
import { aligned, overview, table } from './report.ts';
import { windows as allWindows } from './windows.ts';

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
    /** Names of contestants and of windows, with commas between: `--only floor,guoke,login,me`. */
    only: { type: 'string', default: '' },
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
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)} at the start\n`,
);
try {
  const [, ours] = built.entries;
  if (options.growth && ours) await growth({ entry: ours, load, standinUrl, mariadb, quick: options.quick });
  else await compareAll();
} finally {
  load.stop();
  await standin.stop();
  await mariadb.remove();
}

async function compareAll(): Promise<void> {
  const { quick } = options;
  const beside = options.beside.map((file, index) => ({ name: `beside${index + 1}`, file, isOurs: true }));
  const allEntries = [...built.entries, ...beside];
  const only = options.only.split(',').filter((name) => name !== '');
  for (const name of only) {
    if (![...allEntries, ...allWindows].some((each) => each.name === name)) throw new Error(`There is no ${name} here`);
  }
  /** Those that are named; all where none of their kind is. */
  function chosen<T extends { name: string }>(all: readonly T[]): readonly T[] {
    const named = all.filter(({ name }) => only.includes(name));
    return named.length > 0 ? named : all;
  }
  const windows = chosen(allWindows).map((window) => ({ ...window, seconds: window.seconds * (quick ? 0.5 : 1) }));
  const results = await compare({
    // More users than connections, few enough to be there after the first round.
    bench: { load, standinUrl, databasePid: mariadb.pid(), users: 2000 },
    entries: chosen(allEntries),
    mariadbUrl: mariadb.url,
    windows,
    rounds: Number(options.rounds ?? (quick ? 2 : 7)),
    warmUpLogins: quick ? 3000 : 12_000,
    silenceMs: quick ? 12_000 : 20_000,
  });
  console.log(overview(windows, results));
  for (const window of windows) console.log(table(window, results.get(window.name) ?? new Map()));
  if (only.length > 0) return;
  const rows = goals(results).map(({ what, value, isMet }) => [what, value, isMet ? 'met' : 'missed']);
  console.log(aligned([['aim', 'this run', ''], ...rows]));
  await mkdir(`${root}docs/images`, { recursive: true });
  await writeFile(`${root}docs/images/performance.svg`, chart(results));
  console.log('\nChart: docs/images/performance.svg');
}
