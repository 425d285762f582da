import { readFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { startServer } from '../../src/server.ts';
import { clientOf, startBackend } from './backend.ts';

/** The value of SESSION_KEY_SECRETS that stands for the secret file of an SQLite database, as `guoke copy` says it. */
export async function secretsOf(databaseUrl: string): Promise<string> {
  return `file:${(await readFile(`${databaseUrl.slice('file:'.length)}.key`, 'utf8')).trim()}`;
}

/** A backend with users in it: one has a profile, another has just opened the mini program and is about to send one. */
export async function startInhabitedBackend(
  databaseUrl: string,
  env: Record<string, string> = { SESSION_KEY_SECRETS: '' },
) {
  const backend = await startBackend({ databaseUrl, env });
  onTestFinished(() => backend.close());
  const sealed = backend.standin.phone.profile({ user: 'ming', profile: { nickName: '小明 👩🏽‍❤️‍💋‍👨🏿' } });
  const { code } = backend.standin.phone.login({ user: 'ming' });
  const { rawData, signature, encryptedData, iv } = sealed;
  const ming = await backend.client().auth.login.mutate({ code, rawData, signature, encryptedData, iv });
  const hong = await backend
    .client()
    .auth.checkUser.mutate({ code: backend.standin.phone.login({ user: 'hong' }).code });
  return { backend, ming, hong };
}

/**
 * What must hold on a database that was moved: a token from before is good, and the session key from before opens, for
 * it proves a profile that was sealed with it.
 */
export async function useAfterMove(
  { backend, ming }: Awaited<ReturnType<typeof startInhabitedBackend>>,
  environment: Record<string, string>,
) {
  const { standin } = backend;
  const server = await startServer(loadConfig({ ...backend.environment, ...environment }), {
    log: createLog('silent'),
    now: () => backend.clock.now,
  });
  try {
    const me = await clientOf(server.url, ming.token).user.me.query();
    const { rawData, signature, encryptedData, iv } = standin.phone.profile({
      user: 'hong',
      profile: { nickName: '小红' },
    });
    const { code } = standin.phone.login({ user: 'hong', rotate: true });
    const login = await clientOf(server.url).auth.login.mutate({ code, rawData, signature, encryptedData, iv });
    return { me, proved: login.user.nickName };
  } finally {
    await server.close();
  }
}
