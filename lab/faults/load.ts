import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller, Outcome } from './caller.ts';

interface LoadOptions {
  caller: () => Caller;
  /** The next call to make. */
  next: (caller: Caller) => Promise<Outcome>;
  /** How many calls are made at a time, each worker's next one when its last is answered. */
  workers: number;
}

/** Makes calls without a break until it is stopped, and keeps what came of them. */
export function startLoad({ caller, next, workers }: LoadOptions) {
  const outcomes: Outcome[] = [];
  const tokens: string[] = [];
  let over = false;

  async function work(): Promise<void> {
    while (!over) {
      const outcome = await next(caller());
      outcomes.push(outcome);
      if (outcome.token !== undefined) tokens.push(outcome.token);
      // A server that is away refuses in no time.
      if (outcome.status === 0 || outcome.status >= 500) await sleep(10);
    }
  }

  const working = Array.from({ length: workers }, work);
  return {
    outcomes,
    /** Every token that was answered. */
    tokens,
    async stop(): Promise<void> {
      over = true;
      await Promise.all(working);
    },
  };
}

/** Makes a call each so many milliseconds, whatever becomes of the earlier ones, as phones do. Resolves when all are answered. */
export async function callSteadily(
  everyMs: number,
  forMs: number,
  call: (index: number) => Promise<Outcome>,
): Promise<Outcome[]> {
  const calls: Promise<Outcome>[] = [];
  const start = performance.now();
  for (let index = 0; index * everyMs < forMs; index++) {
    const wait = start + index * everyMs - performance.now();
    if (wait > 0) await sleep(wait);
    calls.push(call(index));
  }
  return Promise.all(calls);
}
