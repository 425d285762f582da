import { setTimeout as sleep } from 'node:timers/promises';
import { type Contestant, createTables, type Entry, start } from './contestants.ts';
import { type Bench, measure, type Sample, warmUp } from './measure.ts';
import { createProgress } from './progress.ts';
import type { Results } from './report.ts';
import { requireSameAnswer } from './same-answers.ts';
import type { Window, WindowName } from './windows.ts';

interface ComparisonOptions {
  bench: Bench;
  entries: readonly Entry[];
  /** Of MariaDB, without a database. */
  mariadbUrl: string;
  windows: readonly (Window & { name: WindowName })[];
  rounds: number;
  warmUpLogins: number;
  /** How long a server has had no call before a window of its bursts. */
  silenceMs: number;
}

/** Starts all contestants and goes from one to the next in each round, through all windows. */
export async function compare(options: ComparisonOptions): Promise<Results> {
  const { bench, entries, mariadbUrl, windows, rounds, warmUpLogins, silenceMs } = options;
  const contestants = await Promise.all(
    entries.map(async (entry) => await start(entry, await createTables(mariadbUrl), bench.standinUrl)),
  );
  const results = new Map(
    windows.map(({ name }) => [name, new Map<string, Sample[]>(entries.map((entry) => [entry.name, []]))]),
  );
  const progress = createProgress((rounds + 1) * entries.length);
  const lastCallAt = new Map<Contestant, number>();

  async function visit(
    contestant: Contestant,
    onSample: (window: Window & { name: WindowName }, sample: Sample) => void,
  ) {
    for (const window of windows) {
      const silentSince = lastCallAt.get(contestant);
      if (window.isBurst && silentSince !== undefined) {
        await sleep(Math.max(0, silentSince + silenceMs - performance.now()));
      }
      onSample(window, await measure(bench, contestant, window));
      lastCallAt.set(contestant, performance.now());
    }
  }

  const first = new Map<WindowName, [Contestant, Sample][]>(windows.map(({ name }) => [name, []]));
  for (const contestant of contestants) {
    // As many calls for each, not as much time: what is slow would be measured while it is still being compiled.
    await warmUp(bench, contestant, warmUpLogins);
    await visit(contestant, ({ name }, sample) => first.get(name)?.push([contestant, sample]));
    progress.step(`${contestant.name}, warming up`);
  }
  for (const { name, title } of windows) {
    const [, ours] = first.get(name)?.find(([contestant]) => contestant.isOurs) ?? [];
    for (const [contestant, sample] of first.get(name) ?? []) {
      if (ours && !contestant.isOurs) requireSameAnswer(title, ours, contestant.name, sample);
    }
  }

  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one, so that no contestant always comes after the same.
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + round) % contestants.length];
      if (!contestant) continue;
      await visit(contestant, ({ name }, sample) => results.get(name)?.get(contestant.name)?.push(sample));
      progress.step(`${contestant.name}, round ${round + 1}`);
    }
  }
  for (const contestant of contestants) await contestant.stop();
  return results;
}
