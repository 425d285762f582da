import { z } from 'zod';
import { noProfile, ownProfile, publicUser, toPublicUser } from '../user/profile.ts';
import { sessionIdOf } from '../crypto.ts';
import { accountProcedure, codeRateLimit, listProcedure, publicProcedure, router, signedInProcedure } from '../trpc.ts';
import { checkUserInput, loginInput, revokeSessionInput } from './inputs.ts';
import { prove } from './proof.ts';
import { listSessions } from './sessions.ts';
import { recordLogin } from './record-login.ts';

const loggedIn = z.object({
  user: publicUser,
  token: z.string(),
  /** Unix milliseconds. */
  expiresAt: z.number(),
});

/** Times are Unix milliseconds. */
const listedSession = z.object({
  /** Opaque, and no use as a token. */
  id: z.string(),
  createdAt: z.number(),
  lastUsedAt: z.number(),
  isCurrent: z.boolean(),
});

export const authRouter = router({
  /** Logs in with a code alone: who is this, and do we know their profile? */
  checkUser: publicProcedure
    .input(checkUserInput)
    .use(codeRateLimit)
    .output(loggedIn.extend({ hasProfile: z.boolean() }))
    .mutation(async ({ ctx, input }) => {
      const exchange = await ctx.wechat.exchangeCode(input.code, input.appId);
      const { user, token, expiresAt } = await recordLogin(ctx, exchange, noProfile);
      const answer = toPublicUser(user);
      return { hasProfile: answer.hasProfile, user: answer, token, expiresAt };
    }),

  /** Logs in with a code and the profile that WeChat signed and sealed for this user. */
  login: publicProcedure
    .input(loginInput)
    .use(codeRateLimit)
    .output(loggedIn)
    .mutation(async ({ ctx, input }) => {
      const exchange = await ctx.wechat.exchangeCode(input.code, input.appId);
      const { appId, openId } = exchange;
      const keys = {
        fresh: exchange.sessionKey,
        previous: async () => ctx.sessionKeys.openPrevious(await ctx.store.findUser(openId), exchange),
      };
      const profile = await prove(input, keys, {
        appId,
        openId,
        now: ctx.now(),
        maxAgeSeconds: ctx.watermarkMaxAgeSeconds,
      });
      const { user, token, expiresAt } = await recordLogin(ctx, exchange, ownProfile(profile));
      return { user: toPublicUser(user), token, expiresAt };
    }),

  /** Revokes the token of this call. Never limited: it must always be possible. */
  logout: signedInProcedure.output(z.object({ revoked: z.literal(true) })).mutation(async ({ ctx }) => {
    await ctx.store.deleteSession(ctx.session.tokenHash);
    return { revoked: true };
  }),

  /** Revokes every token of this user, and says how many were good. */
  logoutAll: accountProcedure.output(z.object({ revoked: z.number() })).mutation(async ({ ctx }) => {
    return { revoked: await ctx.store.deleteSessionsOf(ctx.user.openId, ctx.now()) };
  }),

  /** Where this user is logged in, the newest first. */
  sessions: listProcedure.output(z.array(listedSession)).query(async ({ ctx }) => {
    const sessions = await listSessions(ctx);
    return sessions.map(({ tokenHash, createdAt, lastUsedAt }) => ({
      id: sessionIdOf(tokenHash),
      createdAt,
      lastUsedAt,
      isCurrent: tokenHash.equals(ctx.session.tokenHash),
    }));
  }),

  /** Revokes one of them, this one included. */
  revokeSession: accountProcedure
    .input(revokeSessionInput)
    .output(z.object({ revoked: z.boolean() }))
    .mutation(async ({ ctx, input }) => {
      const sessions = await listSessions(ctx);
      const session = sessions.find(({ tokenHash }) => sessionIdOf(tokenHash) === input.id);
      return { revoked: session !== undefined && (await ctx.store.deleteSession(session.tokenHash)) };
    }),
});
