import { z } from 'zod';
import { confirmCode } from '../auth/confirm-code.ts';
import { exportSessions } from '../auth/sessions.ts';
import { AppError } from '../errors.ts';
import type { UserChanges } from '../store/accounts.ts';
import type { User } from '../store/store.ts';
import { type Context, router, accountProcedure, codeRateLimit } from '../trpc.ts';
import { eraseUser } from './erasure.ts';
import { exportedData, toExport } from './export.ts';
import { bindPhoneInput, confirmedInput, updateProfileInput } from './inputs.ts';
import { maskPhoneNumber } from './phone.ts';
import { publicUser, toPublicUser } from './profile.ts';

/** Writes into the caller's row. Of a caller who was deleted or blocked meanwhile nothing is written, and a user who came back is another. */
async function update(
  { store, user: { openId, createdAt }, now }: Pick<Context, 'store' | 'now'> & { user: User },
  changes: UserChanges,
): Promise<User> {
  const user = await store.updateUser({ openId, createdUpTo: createdAt, isBlocked: false }, changes, now());
  if (!user) throw new AppError('SESSION_INVALID');
  return user;
}

export const userRouter = router({
  /** The caller's own user. */
  me: accountProcedure.output(publicUser).query(({ ctx }) => toPublicUser(ctx.user)),

  /** Stores the nickname that the user typed and the picture that they chose, or one of them; null clears either. */
  updateProfile: accountProcedure
    .meta({ maxBodyBytes: 512 * 1024 })
    .input(updateProfileInput)
    .output(publicUser)
    .mutation(async ({ ctx, input: { nickName, avatar: picture } }) => {
      const { openId } = ctx.user;
      const avatar = picture ? await ctx.pictures.toAvatar(picture, { openId, now: ctx.now() }) : picture;
      // Before anything is stored. WeChat takes no WebP.
      if (nickName) await ctx.contentCheck?.checkText(nickName, ctx.user);
      if (avatar) await ctx.contentCheck?.checkPicture(await ctx.pictures.toJpeg(avatar.bytes), ctx.user);
      return toPublicUser(await update(ctx, { nickName, avatar }));
    }),

  /** Stores the phone number behind a code of the phone number button. */
  bindPhone: accountProcedure
    .input(bindPhoneInput)
    .use(codeRateLimit)
    .output(z.object({ phoneNumber: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const phone = await ctx.phoneCodes.exchange(input.code, ctx.user);
      await update(ctx, { phone: ctx.phoneNumbers.seal(phone, ctx.user) });
      return { phoneNumber: maskPhoneNumber(phone.number) };
    }),

  /** Forgets the phone number. */
  unbindPhone: accountProcedure
    .output(publicUser)
    .mutation(async ({ ctx }) => toPublicUser(await update(ctx, { phone: null }))),

  /** All that is stored about the caller. */
  exportData: accountProcedure
    .input(confirmedInput)
    .use(codeRateLimit)
    .output(exportedData)
    .mutation(async ({ ctx, input }) => {
      await confirmCode(ctx, input.code);
      const record = await ctx.store.findRecord(ctx.user.openId);
      if (!record) throw new AppError('SESSION_INVALID');
      return toExport(record, ctx.phoneNumbers.open(record), await exportSessions(ctx));
    }),

  /** Deletes the caller's user, sessions and unshared avatar, and what an owner's hook deletes. */
  deleteAccount: accountProcedure
    .input(confirmedInput)
    .use(codeRateLimit)
    .output(z.object({ deleted: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await confirmCode(ctx, input.code);
      const { openId, createdAt } = ctx.user;
      const isErased = await eraseUser(ctx, { openId, createdUpTo: createdAt, isBlocked: false });
      // Else another deletion was first, and this user is gone either way; or the operator blocked them meanwhile.
      if (!isErased && (await ctx.store.findUser(openId))?.blockedAt) throw new AppError('USER_BLOCKED');
      return { deleted: true };
    }),
});
