import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { UserChanges } from '../store/accounts.ts';
import type { User } from '../store/store.ts';
import { type Context, router, signedInProcedure, codeRateLimit } from '../trpc.ts';
import { bindPhoneInput, updateProfileInput } from './inputs.ts';
import { maskPhoneNumber } from './phone.ts';
import { publicUser, toPublicUser } from './profile.ts';

/** Writes into the caller's row. Of a caller who was deleted meanwhile nothing is written, and a user who came back is another. */
async function update(
  { store, user: { openId, createdAt }, now }: Pick<Context, 'store' | 'now'> & { user: User },
  changes: UserChanges,
): Promise<User> {
  const user = await store.updateUser({ openId, createdUpTo: createdAt }, changes, now());
  if (!user) throw new AppError('SESSION_INVALID');
  return user;
}

export const userRouter = router({
  /** The caller's own user. */
  me: signedInProcedure.output(publicUser).query(({ ctx }) => toPublicUser(ctx.user)),

  /** Stores the nickname that the user typed and the picture that they chose, or one of them. */
  updateProfile: signedInProcedure
    .meta({ maxBodyBytes: 512 * 1024 })
    .input(updateProfileInput)
    .output(publicUser)
    .mutation(async ({ ctx, input: { nickName, avatar: picture } }) => {
      const { openId } = ctx.user;
      const avatar = picture ? await ctx.pictures.toAvatar(picture, { openId, now: ctx.now() }) : picture;
      return toPublicUser(await update(ctx, { nickName, avatar }));
    }),

  /** Stores the phone number behind a code of the phone number button. */
  bindPhone: signedInProcedure
    .input(bindPhoneInput)
    .use(codeRateLimit)
    .output(z.object({ phoneNumber: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const phone = await ctx.phoneCodes.exchange(input.code, ctx.user);
      await update(ctx, { phone: ctx.phoneNumbers.seal(phone, ctx.user) });
      return { phoneNumber: maskPhoneNumber(phone.number) };
    }),
});
