import { Pool } from 'undici';

/** What one call came to, seen from the phone. */
export interface Outcome {
  /** 0: there was no answer at all. */
  status: number;
  /** `OK`, a reason of the contract, or `NO_ANSWER`. */
  reason: string;
  token: string | undefined;
  afterMs: number;
}

export type Caller = ReturnType<typeof createCaller>;

interface Body {
  result?: { data: { token?: string } };
  error?: { data: { reason: string } };
}

/** Calls a server over real HTTP, without a word about what goes wrong: that is counted. */
export function createCaller(url: string, { timeoutMs = 20_000 } = {}) {
  const pool = new Pool(url, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs, connections: null });

  async function call(procedure: string, input: unknown, token?: string): Promise<Outcome> {
    const start = performance.now();
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: `/trpc/${procedure}`,
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: input === undefined ? '' : JSON.stringify(input),
      });
      const { result, error } = (await body.json()) as Body;
      const reason = result ? 'OK' : (error?.data.reason ?? 'NO_REASON');
      return { status: statusCode, reason, token: result?.data.token, afterMs: performance.now() - start };
    } catch {
      return { status: 0, reason: 'NO_ANSWER', token: undefined, afterMs: performance.now() - start };
    }
  }

  return {
    call,
    checkUser: (code: string) => call('auth.checkUser', { code }),
    me: (token: string) => call('user.me', undefined, token),
    /** The status of a plain path; 0 when there is no answer. */
    async status(path: string): Promise<number> {
      try {
        const { statusCode, body } = await pool.request({ method: 'GET', path });
        await body.dump();
        return statusCode;
      } catch {
        return 0;
      }
    },
    close: () => pool.destroy(),
  };
}

/** How many outcomes there are of each reason. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of outcomes) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** Of these tokens, how many are refused now. Asks for at most 16 at once. */
export async function countInvalid(caller: Caller, tokens: readonly string[]): Promise<number> {
  const left = [...tokens];
  let invalid = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let token = left.pop(); token !== undefined; token = left.pop()) {
        const { reason } = await caller.me(token);
        if (reason !== 'OK') invalid += 1;
      }
    }),
  );
  return invalid;
}
