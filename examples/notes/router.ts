import { authRouter, router, signedInProcedure, userRouter } from 'guoke';
import { z } from 'zod';
import type { Notes } from './notes.ts';

const note = z.object({
  id: z.number(),
  text: z.string(),
  /** Unix milliseconds. */
  createdAt: z.number(),
});

function createNotesRouter(notes: Notes) {
  return router({
    /** `ctx.user` is the caller: a token was checked before this runs. */
    add: signedInProcedure
      .input(z.object({ text: z.string().min(1).max(500) }))
      .output(note)
      .mutation(({ ctx, input }) => notes.add(ctx.user.openId, input.text, ctx.now())),

    mine: signedInProcedure.output(z.array(note)).query(({ ctx }) => notes.of(ctx.user.openId, 100)),
  });
}

/** guoke's own procedures, and ours beside them. */
export function createAppRouter(notes: Notes) {
  return router({ auth: authRouter, user: userRouter, notes: createNotesRouter(notes) });
}

export type AppRouter = ReturnType<typeof createAppRouter>;
