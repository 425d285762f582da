import { z } from 'zod';
import { router, signedInProcedure, codeRateLimit } from '../trpc.ts';
import { bindPhoneInput, updateProfileInput } from './inputs.ts';
import { maskPhoneNumber } from './phone.ts';
import { publicUser, toPublicUser } from './profile.ts';

export const userRouter = router({
  /** The caller's own user. */
  me: signedInProcedure.output(publicUser).query(({ ctx }) => toPublicUser(ctx.user)),

  /** Stores the nickname that the user typed and the picture that they chose, or one of them. */
  updateProfile: signedInProcedure
    .meta({ maxBodyBytes: 512 * 1024 })
    .input(updateProfileInput)
    .output(publicUser)
    .mutation(async ({ ctx, input: { nickName = null, avatar: picture } }) => {
      const { openId } = ctx.user;
      const avatar = picture ? await ctx.pictures.toAvatar(picture, { openId, now: ctx.now() }) : null;
      const user = await ctx.store.saveProfile({ openId, nickName, avatar, now: ctx.now() });
      return toPublicUser(user);
    }),

  /** Stores the phone number behind a code of the phone number button. */
  bindPhone: signedInProcedure
    .input(bindPhoneInput)
    .use(codeRateLimit)
    .output(z.object({ phoneNumber: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const phone = await ctx.phoneCodes.exchange(input.code, ctx.user);
      const sealed = ctx.phoneNumbers.seal(phone, ctx.user);
      await ctx.store.savePhoneNumber(ctx.user.openId, sealed, ctx.now());
      return { phoneNumber: maskPhoneNumber(phone.number) };
    }),
});
