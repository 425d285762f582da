import { createInterface } from 'node:readline';
import { openStore } from '../../src/store/open.ts';

// A process that migrates the database of each URL on its input, and says `done` or why not: so that eight of them can
// begin at the same moment, which eight that are just starting cannot.
process.stdout.write('ready\n');
for await (const databaseUrl of createInterface(process.stdin)) {
  const store = await openStore({ databaseUrl, timeoutMs: 2000, poolSize: 2 });
  const word = await store.migrate().then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : 'unforeseen'),
  );
  await store.close();
  process.stdout.write(`${word}\n`);
}
