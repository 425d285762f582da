/**
 * Runs some work with a signal that aborts after `timeoutMs`. `AbortSignal.timeout` does the same and keeps its timer,
 * and with it all that the work was about, until the time is over: seconds of finished logins were in memory by that.
 */
export async function withinDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}
