import { setTimeout as sleep } from 'node:timers/promises';
import { serverErrno } from './errors.ts';

/** ER_LOCK_DEADLOCK: InnoDB, or a Galera cluster, gave up this transaction in favour of another, whole. */
export const deadlock = 1213;
/** ER_LOCK_WAIT_TIMEOUT */
export const lockWait = 1205;
/** ER_UNKNOWN_COM_ERROR: the node of a Galera cluster is not ready; it has refused the statement unread. */
export const nodeNotReady = 1047;

/** ER_UNKNOWN_ERROR: TiDB also answers it for a lock that it did not get. */
export const unnumbered = 1105;

interface RetryOptions {
  /** From now on. What is still refused then is refused. */
  withinMs: number;
  errnos?: readonly number[];
}

/** Runs the work again after a conflict that has left nothing behind, after pauses that grow and differ. */
export async function retryConflicts<T>(
  work: () => Promise<T>,
  { withinMs, errnos = [deadlock, lockWait, nodeNotReady, unnumbered] }: RetryOptions,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 1.5, 100)) {
    try {
      return await work();
    } catch (error) {
      const waitMs = pauseMs * (0.5 + Math.random());
      if (!errnos.includes(serverErrno(error) ?? 0) || performance.now() + waitMs > deadline) throw error;
      await sleep(waitMs);
    }
  }
}
