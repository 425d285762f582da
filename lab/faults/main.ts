import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compileProject } from '../../test/support/compiled.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import { createDatabase } from '../../test/support/mariadb.ts';
import { howToGet, isInstalled, serverNames, startServerOf } from './database-servers.ts';
import { experiments } from './experiments/all.ts';
import { type DatabaseName, type Experiment, type Figure, isWithin, type Setting, shown } from './experiment.ts';

/** How often an experiment may be made again when nothing but a latency was over its bound. */
const tries = 3;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    /** Experiments by name, separated by commas. */
    only: { type: 'string' },
    /** `MariaDB`, `SQLite` or `TiDB`. */
    on: { type: 'string' },
  },
});
/** TiDB is tried where it is asked for: hardly anybody has its server at hand. */
const databases = [...serverNames, 'SQLite' as const].filter((name) =>
  values.on ? values.on.toLowerCase() === name.toLowerCase() : name !== 'TiDB',
);
const names = values.only?.split(',');
const chosen = experiments.filter(({ name }) => !names || names.includes(name));
if (chosen.length === 0) {
  console.error(`There is no such experiment. There are: ${experiments.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

const servers = new Map<DatabaseName, DatabaseServer>();
let broken = 0;
const scratch = await mkdtemp(path.join(tmpdir(), 'guoke-faults-'));
await compileProject(path.join(scratch, 'compiled'));
const begun = performance.now();
try {
  for (const name of serverNames.filter((each) => databases.includes(each))) {
    if (isInstalled(name)) servers.set(name, await startServerOf(name));
    else {
      console.error(`NOT TRIED: ${name}. ${howToGet[name]}`);
      broken += 1;
    }
  }
  for (const experiment of chosen) {
    const lacking = databases.includes('MariaDB') ? (experiment.lacks?.() ?? null) : null;
    if (lacking !== null) {
      console.error(`NOT TRIED: ${experiment.name}. ${lacking}`);
      broken += 1;
      continue;
    }
    for (const database of experiment.on.filter((each) => databases.includes(each))) {
      if (database === 'SQLite' || servers.has(database)) broken += (await attempt(experiment, database)) ? 0 : 1;
    }
  }
} finally {
  for (const server of servers.values()) await server.remove();
  await rm(scratch, { recursive: true, force: true });
}
const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
console.log(
  broken === 0 ? `all within their bounds, in ${minutes} minutes` : `${broken} BROKEN, in ${minutes} minutes`,
);
process.exit(broken === 0 ? 0 : 1);

async function attempt(experiment: Experiment, database: DatabaseName): Promise<boolean> {
  for (let attempted = 1; ; attempted++) {
    const from = performance.now();
    const label = `${experiment.name.padEnd(19)} ${database.padEnd(7)}`;
    const figures = await experiment.run(settingOf(database, label)).catch((error: unknown): Figure[] => {
      console.error(error);
      return [{ what: 'ended in an error', value: 1, atMost: 0 }];
    });
    clearProgress();
    const outside = figures.filter((figure) => !isWithin(figure));
    const again = outside.length > 0 && outside.every(({ noisy }) => noisy) && attempted < tries;
    const verdict = outside.length === 0 ? 'ok    ' : again ? 'again ' : 'BROKEN';
    const seconds = Math.round((performance.now() - from) / 1000);
    console.log(`${verdict} ${label} ${figures.map(shown).join('; ')}  [${seconds} s]`);
    if (!again) return outside.length === 0;
  }
}

function settingOf(database: DatabaseName, label: string): Setting {
  return {
    database,
    scratch,
    quick: values.quick,
    createUrl: async () =>
      database === 'SQLite'
        ? `file:${scratch}/${crypto.randomUUID()}/guoke.db`
        : createDatabase(servers.get(database)?.url ?? ''),
    progress: (text) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K...    ${label} ${text}`);
      else if (/not as|failed|stuck/.test(text)) console.error(`...    ${label} ${text}`);
    },
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
}
