import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { findMariaDb, type MariaDb, startMariaDb } from '../../test/support/mariadb.ts';
import { buildAll } from './build.ts';
import { compare } from './comparison.ts';
import { goalTable } from './goals.ts';
import { growth } from './growth.ts';
import { type Load, startLoad, startNode } from './processes.ts';
import { publish } from './publish.ts';
import { overview, table } from './report.ts';
import { compareStarts } from './start.ts';
import { windows as allWindows } from './windows.ts';

// `npm run bench`: the server beside its baselines, one after the other in each round. See docs/performance.md.

const { values: options } = parseArgs({
  options: {
    /** Fewer and shorter rounds: under two minutes. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    /** 1e3 to 1e6 users, SQLite, two processes, batches, instead of the baselines. */
    growth: { type: 'boolean', default: false },
    /** How long a start on SQLite takes, alone or beside another build. */
    start: { type: 'boolean', default: false },
    /** Another build of the server to run beside this one: the path of its main.js. */
    beside: { type: 'string', multiple: true, default: [] },
    /** A build of the server to run instead of making one: the path of its main.js. */
    main: { type: 'string' },
    /** Names of contestants and of windows, with commas between: `--only floor,guoke,login,me`. */
    only: { type: 'string', default: '' },
    /** Puts the tables and the picture of this run into docs/. */
    publish: { type: 'boolean', default: false },
  },
});

const startedAt = performance.now();
const built = await buildAll(options.main);
const beside = options.beside.map((file, index) => ({ name: `beside${index + 1}`, file, isOurs: true }));
const entries = [...built.entries, ...beside];
const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`;
console.log(`${machine}, load ${loadavg()[0]?.toFixed(1)}\n`);
if (options.start) {
  const ours = entries.filter(({ isOurs }) => isOurs);
  await compareStarts(ours, Number(options.rounds ?? (options.quick ? 5 : 15)));
} else {
  await onMariaDb();
}

/** Starts what the contestants need, and stops it however the run ends. */
async function onMariaDb(): Promise<void> {
  const program = findMariaDb();
  if (!program) throw new Error('There is no mariadbd here. Install one (Debian: apt install mariadb-server-core).');
  // A million users are some 500 MB: as an operator would, it gets buffers that hold them, and half as much of a log.
  const mariadb = await startMariaDb(program, options.growth ? { bufferMb: 1024, logMb: 512 } : undefined);
  const standin = await startNode([built.standin], {}, 'url');
  const load = startLoad(built.load);
  const services = { mariadb, load, standinUrl: JSON.parse(standin.line).url as string, standinPid: standin.pid };
  try {
    const [, ours] = built.entries;
    if (options.growth && ours) await growth({ entry: ours, ...services, quick: options.quick });
    else await compareAll(services);
  } finally {
    load.stop();
    await standin.stop();
    await mariadb.remove();
  }
}

interface Services {
  mariadb: MariaDb;
  load: Load;
  standinUrl: string;
  standinPid: number;
}

async function compareAll({ mariadb, load, standinUrl, standinPid }: Services): Promise<void> {
  const { quick } = options;
  const only = options.only.split(',').filter((name) => name !== '');
  if (options.publish && (quick || only.length > 0)) throw new Error('Only a whole run can be published');
  for (const name of only) {
    if (![...entries, ...allWindows].some((each) => each.name === name)) throw new Error(`There is no ${name} here`);
  }
  /** Those that are named; all where none of their kind is. */
  function chosen<T extends { name: string }>(all: readonly T[]): readonly T[] {
    const named = all.filter(({ name }) => only.includes(name));
    return named.length > 0 ? named : all;
  }
  const windows = chosen(allWindows).map((window) => ({ ...window, seconds: window.seconds * (quick ? 0.5 : 1) }));
  const results = await compare({
    // More users than connections, few enough to be there after the first round.
    bench: { load, standinUrl, standinPid, databasePid: mariadb.pid(), users: 2000 },
    entries: chosen(entries),
    mariadbUrl: mariadb.url,
    windows,
    rounds: Number(options.rounds ?? (quick ? 2 : 7)),
    warmUpLogins: quick ? 3000 : 12_000,
    silenceMs: quick ? 12_000 : 20_000,
  });
  const tables = [overview(windows, results)];
  if (only.length === 0) tables.push(goalTable(results));
  for (const window of windows) tables.push(table(window, results.get(window.name) ?? new Map()));
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  tables.unshift(`${new Date().toISOString().slice(0, 10)}, ${machine}, ${minutes} minutes.\n`);
  console.log(tables.join('\n'));
  if (options.publish) await publish(tables.join('\n'), results);
}
