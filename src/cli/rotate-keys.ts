import { parseArgs } from 'node:util';
import { loadConfig } from '../config.ts';
import { keyringOf } from '../operations/keyring-file.ts';
import { type ResealCounts, resealAll } from '../operations/reseal.ts';
import { openStore } from '../store/open.ts';
import { createProgress } from './progress.ts';

const timeoutMs = 30_000;

/** `guoke rotate-keys`: seals every row with the first secret of SESSION_KEY_SECRETS. See docs/keys.md. */
export async function run(args: string[]): Promise<void> {
  parseArgs({ args, options: {} });
  const { secrets } = loadConfig(process.env);
  const keyring = await keyringOf(secrets);
  const store = await openStore({ databaseUrl: secrets.databaseUrl, timeoutMs, poolSize: 1 });
  const progress = createProgress({ noun: 'users' });
  process.stdout.write(`Sealing with the secret "${keyring[0].id}".\n`);
  const onProgress = (counts: ResealCounts) => progress.show(counts.done, counts.total);
  try {
    tell(await resealAll({ store, keyring, onProgress }).finally(() => progress.end()));
  } finally {
    await store.close();
  }
}

function tell({ done, resealed, unreadable, contended }: ResealCounts): void {
  process.stdout.write(`${done} users looked at, ${resealed} resealed, ${unreadable} values unreadable.\n`);
  if (unreadable > 0) {
    process.stdout.write('What is unreadable counts as no key; the next login of that user brings a new one.\n');
  }
  if (contended > 0) {
    process.stdout.write(
      `${contended} users were changed by logins each time. Run it again, once no server seals with an old secret.\n`,
    );
    process.exitCode = 1;
  }
}
