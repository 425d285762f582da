import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';

/** The moment by which one call must be through with all of it: access token, connecting, reading, retries. */
export interface Deadline {
  readonly isOver: boolean;
  /** Calls back once, when the time is over; gives back what takes that back. */
  onOver(callback: () => void): () => void;
}

/**
 * Runs some work that ends by itself when told that the time is over. An AbortSignal would do, and costs a login as much
 * as its session key's seal; that of `AbortSignal.timeout` also keeps all that the work was about until the time is over.
 */
export async function withinDeadline<T>(timeoutMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const callbacks = new Set<() => void>();
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    for (const callback of callbacks) callback();
  }, timeoutMs);
  const deadline: Deadline = {
    get isOver() {
      return isOver;
    },
    onOver(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
  };
  try {
    return await work(deadline);
  } finally {
    clearTimeout(timer);
  }
}

/** What the work gives, or WECHAT_TIMEOUT as soon as the time is over. */
export async function before<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  if (deadline.isOver) throw tooLate();
  let takeBack = () => {};
  const over = new Promise<never>((_, reject) => {
    takeBack = deadline.onOver(() => reject(tooLate()));
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    takeBack();
  }
}

/** Waits, or rejects with WECHAT_TIMEOUT as soon as the time is over. */
export function pause(deadline: Deadline, ms: number): Promise<void> {
  return before(deadline, sleep(ms));
}

export function tooLate(): AppError {
  return new AppError('WECHAT_TIMEOUT', { detail: { code: 'DEADLINE' } });
}
