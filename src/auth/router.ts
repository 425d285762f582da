import { z } from 'zod';
import { noProfile, ownProfile, publicUser, toPublicUser } from '../user/profile.ts';
import { publicProcedure, router, signedInProcedure, codeRateLimit } from '../trpc.ts';
import { checkUserInput, loginInput } from './inputs.ts';
import { prove } from './proof.ts';
import { recordLogin } from './record-login.ts';

const loggedIn = z.object({
  user: publicUser,
  token: z.string(),
  /** Unix milliseconds. */
  expiresAt: z.number(),
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

  /** Revokes the token of this call. */
  logout: signedInProcedure.output(z.object({ revoked: z.literal(true) })).mutation(async ({ ctx }) => {
    await ctx.store.deleteSession(ctx.session.tokenHash);
    return { revoked: true };
  }),

  /** Revokes every token of this user, and says how many were good. */
  logoutAll: signedInProcedure.output(z.object({ revoked: z.number() })).mutation(async ({ ctx }) => {
    return { revoked: await ctx.store.deleteSessionsOf(ctx.user.openId, ctx.now()) };
  }),
});
