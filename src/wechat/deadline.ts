import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';

/** The moment by which one call must end, with all of its parts: access token, connecting, reading, retries. */
export interface Deadline {
  readonly isOver: boolean;
  /** Calls back once, when the time is over. Gives back a function that cancels this. */
  onOver(callback: () => void): () => void;
}

/**
 * Runs work that ends by itself when the time is over. An AbortSignal would do, but costs a login as much as sealing its
 * session key, and the one of `AbortSignal.timeout` keeps the work in memory until the time is over.
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

/** Settles as the work does, or rejects with WECHAT_TIMEOUT as soon as the time is over. */
export async function before<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  if (deadline.isOver) throw deadlineError();
  let cancel = () => {};
  const over = new Promise<never>((_, reject) => {
    cancel = deadline.onOver(() => reject(deadlineError()));
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    cancel();
  }
}

/** Waits, or rejects with WECHAT_TIMEOUT as soon as the time is over. */
export function pause(deadline: Deadline, ms: number): Promise<void> {
  return before(deadline, sleep(ms));
}

export function deadlineError(): AppError {
  return new AppError('WECHAT_TIMEOUT', { detail: { code: 'DEADLINE' } });
}
