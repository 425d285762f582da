import { authRouter } from './auth/router.ts';
import { router } from './trpc.ts';
import { userRouter } from './user/router.ts';

export const appRouter = router({ auth: authRouter, user: userRouter });

/** All that a typed client needs to know of this server. Import it as a type only. */
export type AppRouter = typeof appRouter;
