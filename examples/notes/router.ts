import { AppError, authRouter, defineReasons, router, signedInProcedure, userRouter, type WithReasons } from 'guoke';
import { z } from 'zod';
import type { Notes } from './notes.ts';

/** Our refusals, beside guoke's. */
const reasons = defineReasons({
  NOTES_FULL: { code: 'CONFLICT', retry: 'never', message: 'There is no room for another note' },
});

const maxNotes = 100;

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
      .mutation(async ({ ctx, input }) => {
        const own = await notes.of(ctx.user.openId, maxNotes);
        if (own.length === maxNotes) throw new AppError(reasons.NOTES_FULL);
        return await notes.add(ctx.user.openId, input.text, ctx.now());
      }),

    mine: signedInProcedure.output(z.array(note)).query(({ ctx }) => notes.of(ctx.user.openId, maxNotes)),
  });
}

/** guoke's own procedures, and ours beside them. */
export function createAppRouter(notes: Notes) {
  return router({ auth: authRouter, user: userRouter, notes: createNotesRouter(notes) });
}

/** What the phone gets to know: the procedures, and the reasons of both. */
export type AppRouter = WithReasons<ReturnType<typeof createAppRouter>, keyof typeof reasons>;
