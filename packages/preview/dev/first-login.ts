import { createTRPCClient, httpBatchLink } from '@trpc/client';
import type { AppRouter } from '../../../src/router.ts';
import type { Server } from '../../../src/server.ts';
import type { Standin } from '../../standin/src/server.ts';

/** The answers of the first login and the stored row, for `story` to tell. */
export type FirstLogin = Awaited<ReturnType<typeof firstLogin>>;

interface Newcomer {
  /** As the stand-in knows them. */
  user: string;
  avatarUrl: string;
}

/** A new user opens the mini program: the calls that their phone makes, and what is stored of them afterwards. */
export async function firstLogin(server: Server, standin: Standin, { user, avatarUrl }: Newcomer) {
  const api = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: `${server.url}/trpc` })] });

  const checked = await api.auth.checkUser.mutate({ code: standin.phone.login({ user }).code });
  // The order of the well-known tutorial: the profile first, then wx.login, which may rotate the key that sealed it.
  const { rawData, signature, encryptedData, iv } = standin.phone.profile({
    user,
    lang: 'zh_CN',
    profile: { avatarUrl },
  });
  const { code } = standin.phone.login({ user, rotate: true });
  const login = await api.auth.login.mutate({ code, rawData, signature, encryptedData, iv });
  return { checked, login, row: await server.store.findUser(standin.person(user).openid) };
}
