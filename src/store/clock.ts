/**
 * The clocks of hosts differ by less than this. A stored time that is further ahead was written by a clock that was wrong,
 * and counts as missing: otherwise a lease would hold, or a session key stay, for years.
 */
export const maxAheadMs = 5 * 60 * 1000;

export function isFromWrongClock(time: number, now: number): boolean {
  return time > now + maxAheadMs;
}
