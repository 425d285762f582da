import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MariaDb } from '../../test/support/mariadb.ts';
import { type Contestant, createTables, type Entry, migrate, start } from './contestants.ts';
import { type Figure, measure, median, type Sample } from './measure.ts';
import type { Load } from './processes.ts';
import { createProgress } from './progress.ts';
import { aligned, ratio, shown } from './report.ts';
import { fillMysql, fillSqlite } from './seed.ts';
import { compareSqliteWrites } from './sqlite-writes.ts';

interface GrowthOptions {
  entry: Entry;
  load: Load;
  standinUrl: string;
  standinPid: number;
  mariadb: MariaDb;
  quick: boolean;
}

/** How the same server fares with more users, in more processes, on SQLite, and with calls in batches. */
export async function growth({ entry, load, standinUrl, standinPid, mariadb, quick }: GrowthOptions): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'guoke-bench-'));
  const sizes = quick ? [1e3, 1e5] : [1e3, 1e5, 1e6];
  const rounds = quick ? 2 : 5;
  const filling = createProgress(sizes.length * 2);
  const fields: { name: string; servers: Contestant[]; inProcess: boolean; users: number }[] = [];
  for (const size of sizes) {
    const databaseUrl = await createTables(mariadb.url);
    await fillMysql(databaseUrl, size);
    filling.step(`${size} users in MariaDB`);
    fields.push({
      name: `MariaDB, ${size} users`,
      servers: [await start(entry, databaseUrl, standinUrl)],
      inProcess: false,
      users: size,
    });
    const file = path.join(directory, `${size}.db`);
    await migrate(`file:${file}`);
    await fillSqlite(file, size);
    filling.step(`${size} users in SQLite`);
    fields.push({
      name: `SQLite, ${size} users`,
      servers: [await start(entry, `file:${file}`, standinUrl)],
      inProcess: true,
      users: size,
    });
  }
  const shared = await createTables(mariadb.url);
  await fillMysql(shared, 1000);
  const two = [await start(entry, shared, standinUrl)];
  two.push(await start(entry, shared, standinUrl));
  fields.push({ name: 'MariaDB, 2 processes', servers: two, inProcess: false, users: 1000 });

  fields.sort((a, b) => Number(a.inProcess) - Number(b.inProcess));
  const logins = new Map<string, Sample[]>();
  const batches = new Map<string, Sample[]>();
  const mes = new Map<string, Sample[]>();
  const calls = [
    [mes, { procedure: 'user.me', form: 'phone', calls: 1 }, 2],
    [logins, { procedure: 'auth.login', form: 'phone', calls: 1 }, 2.5],
    [batches, { procedure: 'auth.login', form: 'phone', calls: 10 }, 1.5],
  ] as const;
  const progress = createProgress(fields.length * (rounds + 1) * calls.length);
  for (let round = -1; round < rounds; round++) {
    // Call by call, so that the windows that are compared come one after the other: the machine's speed changes within minutes.
    for (const [samples, request, seconds] of calls) {
      for (const { name, servers, inProcess, users } of fields) {
        const bench = { load, standinUrl, standinPid, databasePid: inProcess ? null : mariadb.pid(), users };
        const sample = await measure(bench, servers, { request, seconds, seeded: users });
        progress.step(name);
        if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), sample]);
      }
    }
  }
  for (const { servers } of fields) for (const server of servers) await server.stop();

  const of = (samples: ReadonlyMap<string, Sample[]>, name: string, field: Figure) =>
    median((samples.get(name) ?? []).map((sample) => sample[field])).toFixed(0);
  const heading = [
    '',
    'start ms',
    'login/s',
    'login µs',
    'database µs',
    'login in batches of 10/s',
    'me/s',
    'me µs',
    'database µs',
    'MB',
  ];
  const rows = fields.map(({ name, servers }) => [
    name,
    Math.max(...servers.map(({ startupMs }) => startupMs)).toFixed(0),
    of(logins, name, 'requestsPerSecond'),
    of(logins, name, 'serverUs'),
    of(logins, name, 'databaseUs'),
    (median((batches.get(name) ?? []).map(({ requestsPerSecond }) => requestsPerSecond)) * 10).toFixed(0),
    of(mes, name, 'requestsPerSecond'),
    of(mes, name, 'serverUs'),
    of(mes, name, 'databaseUs'),
    of(mes, name, 'memoryMb'),
  ]);
  console.log(
    `\nThe same with more users, in the phone’s form, 32 connections, medians of ${rounds} rounds\n\n${aligned([heading, ...rows])}\n`,
  );
  const most = sizes.at(-1);
  for (const database of ['MariaDB', 'SQLite']) {
    const [many, few] = [`${database}, ${most} users`, `${database}, ${sizes[0]} users`];
    for (const [call, samples] of [
      ['auth.login', logins],
      ['user.me', mes],
    ] as const) {
      const grown = ratio(totals(samples), many, 'serverUs', few);
      console.log(
        `${grown.median <= 1.25 ? '✓' : '✗'} ${database}, ${call}: processor time, ${most} users ÷ ${sizes[0]}, ≤ 1.25: ${shown(grown)}`,
      );
    }
  }
  await compareSqliteWrites(directory);
  await rm(directory, { recursive: true });
}

/** Server and database together, in the place of the server's. */
function totals(samples: ReadonlyMap<string, Sample[]>): Map<string, Sample[]> {
  return new Map(
    [...samples].map(([name, taken]) => [
      name,
      taken.map((sample) => ({ ...sample, serverUs: sample.serverUs + sample.databaseUs })),
    ]),
  );
}
