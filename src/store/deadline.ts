import { StoreError } from './store.ts';

/** Settles as `work` does, or rejects as unavailable (TIMEOUT) after `timeoutMs` and calls `onExpiry`. */
export async function withDeadline<T>(
  timeoutMs: number,
  work: Promise<T>,
  onExpiry: () => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StoreError('unavailable', 'TIMEOUT'));
      onExpiry();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
