import { resealAll } from '../auth/reseal.ts';
import { loadConfig } from '../config.ts';
import { loadOrCreateKeyring } from '../operations/keyring-file.ts';
import { createProgress } from './progress.ts';
import { explainStartFailure } from '../operations/start-failure.ts';
import { openStore } from '../store/open.ts';
import { StoreError } from '../store/store.ts';

// `npm run keys:rotate`: seals every row with the first secret of SESSION_KEY_SECRETS. See docs/keys.md.

const timeoutMs = 30_000;

try {
  const { secrets } = loadConfig(process.env);
  const keyring = secrets.keyring ?? (await loadOrCreateKeyring(`${secrets.databaseUrl.slice('file:'.length)}.key`));
  const store = openStore({ databaseUrl: secrets.databaseUrl, timeoutMs, poolSize: 1 });
  const progress = createProgress({ noun: 'users' });
  try {
    console.log(`Sealing with the secret "${keyring[0].id}".`);
    const counts = await resealAll({
      store,
      keyring,
      onProgress: ({ done, total }) => progress.show(done, total),
    });
    progress.end();
    const { done, resealed, unreadable, contended } = counts;
    console.log(`${done} users looked at, ${resealed} resealed, ${unreadable} values unreadable.`);
    if (unreadable > 0)
      console.log('What is unreadable counts as no key; the next login of that user brings a new one.');
    if (contended > 0) {
      console.log(
        `${contended} users were changed by logins each time. Run it again, once no server seals with an old secret.`,
      );
      process.exitCode = 1;
    }
  } catch (error) {
    progress.end();
    throw error;
  } finally {
    await store.close();
  }
} catch (error) {
  console.error(
    error instanceof StoreError
      ? `Not all is resealed: ${error.message}. What is done stays done; run it again to go on.`
      : explainStartFailure(error),
  );
  process.exitCode = 1;
}
