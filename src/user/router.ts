import { router, signedInProcedure } from '../trpc.ts';
import { publicUser, toPublicUser } from './profile.ts';

export const userRouter = router({
  /** The caller's own user. */
  me: signedInProcedure.output(publicUser).query(({ ctx }) => toPublicUser(ctx.user)),
});
