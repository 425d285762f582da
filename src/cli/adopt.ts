import { parseArgs } from 'node:util';
import { createSessionKeys, sessionKeyContext } from '../auth/session-keys.ts';
import { UsageError } from './command.ts';
import { loadConfig } from '../config.ts';
import { openOrNull } from '../crypto.ts';
import { createProgress } from './progress.ts';
import { adoptUsers, type Left } from '../store/mysql/adopt/adopt.ts';

/** `guoke adopt`: takes over the gk_wx_user of the well-known tutorial, sealing the session keys in it. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { 'drop-old': { type: 'boolean' }, 'without-key': { type: 'boolean' } },
  });
  const { settings, secrets } = loadConfig(process.env);
  const { databaseUrl, keyring } = secrets;
  if (!databaseUrl.startsWith('mysql:') || !keyring) {
    throw new UsageError("DATABASE_URL must be mysql://…: the database in which the tutorial's gk_wx_user is");
  }
  const appId = settings.defaultApp;
  const sessionKeys = createSessionKeys(keyring);
  const progress = createProgress({ noun: 'users' });
  const { users, sealed, left, aside } = await adoptUsers({
    databaseUrl,
    appId,
    seal: (openId, sessionKey) => sessionKeys.seal({ appId, openId, sessionKey }),
    open: (openId, sealed) => openOrNull(keyring, sealed, sessionKeyContext({ appId, openId })),
    drop: values['drop-old'] ?? false,
    takesKeyless: values['without-key'] ?? false,
    onProgress: (step, done, total) => progress.show(done, total, step),
  }).finally(() => progress.end());
  process.stdout.write(`gk_wx_user: ${users} users of ${appId}, ${sealed} session keys sealed, each row compared.\n`);
  process.stdout.write(explainLeft(left));
  process.stdout.write(
    aside === null
      ? 'The old table is dropped.\n'
      : `The old table is ${aside} now, with the session keys in clear. Once you are content, drop it:\n  guoke adopt --drop-old\n`,
  );
}

function explainLeft({ rows, named, columns }: Left): string {
  const lines = [];
  if (columns.length > 0)
    lines.push(`Left in the old table, since they are not the tutorial's: the columns ${columns.join(', ')}.`);
  if (rows > 0)
    lines.push(`Left in the old table: ${rows} rows without a user${named.length < rows ? ', such as' : ''}`);
  lines.push(...named.map((each) => `  ${each}`));
  return lines.map((line) => `${line}\n`).join('');
}
