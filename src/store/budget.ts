import { withDeadline } from './deadline.ts';
import type { Store } from './store.ts';

/** Of the deadline of one statement: 2 s become 2.6 s for all that one request waits for. */
const budgetShare = 1.3;

/**
 * The store for one request, which waits no longer for all of its statements than `budgetShare` times what each may take.
 * A database that is slow, and not away, would else add them up: a session, its extension, and then the work itself.
 */
export function withBudget(store: Store, timeoutMs: number): Store {
  let waitedMs = 0;
  let waiting = 0;
  let waitingSince = 0;

  async function within(work: Promise<unknown>, startedAt: number): Promise<unknown> {
    // The calls of a batch wait side by side: that time counts once.
    if (waiting === 0) waitingSince = startedAt;
    const leftMs = timeoutMs * budgetShare - waitedMs - (startedAt - waitingSince);
    waiting += 1;
    try {
      // The store's own deadline comes first, nearly always; then a second timer would only cost.
      return await (leftMs >= timeoutMs ? work : withDeadline(Math.max(leftMs, 0), work));
    } finally {
      waiting -= 1;
      if (waiting === 0) waitedMs += performance.now() - waitingSince;
    }
  }

  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const startedAt = performance.now();
        const result: unknown = Reflect.apply(member, target, args);
        return result instanceof Promise ? within(result, startedAt) : result;
      };
    },
  });
}
