import { randomUUID } from 'node:crypto';
import { checkUser, login, me, Refused } from './by-hand.ts';

// The form of tRPC's calls, written by hand once for floor and Fastify: URLs, results, errors and headers are those of guoke.

const procedures: Record<string, (input: unknown, authorization: string | undefined) => Promise<object>> = {
  'auth.login': (input) => login(input),
  'auth.checkUser': (input) => checkUser(input),
  'user.me': (_, authorization) => me(authorization),
};
const queries = new Set(['user.me']);

export interface Calls {
  names: string[];
  isBatch: boolean;
}

/** `/trpc/user.me,user.me?batch=1`: the names of the calls. Null for anything else. */
export function readCalls(method: string, url: string): Calls | null {
  const [path = '', query] = url.split('?');
  if (!path.startsWith('/trpc/')) return null;
  const isBatch = query === 'batch=1';
  const names = isBatch ? path.slice(6).split(',') : [path.slice(6)];
  const isCallable = (name: string) =>
    Object.hasOwn(procedures, name) && (method === 'POST' || (method === 'GET' && queries.has(name)));
  return names.length <= 10 && names.every(isCallable) ? { names, isBatch } : null;
}

interface CallContext {
  requestId: string;
  authorization: string | undefined;
}

/** Runs one call, and writes the line that it leaves in the log. */
export async function runCall(
  name: string,
  input: unknown,
  { requestId, authorization }: CallContext,
): Promise<{ data: object } | { status: number; error: object }> {
  const startedAt = performance.now();
  let reason = 'OK';
  try {
    const data = await procedures[name]?.(input, authorization);
    if (!data) throw new Refused();
    return { data };
  } catch (error) {
    const status = error instanceof Refused ? 401 : 500;
    reason = status === 401 ? 'UNAUTHORIZED' : 'INTERNAL_SERVER_ERROR';
    return {
      status,
      error: { message: reason, code: -32_000, data: { code: reason, httpStatus: status, path: name } },
    };
  } finally {
    const durationMs = Math.round(performance.now() - startedAt);
    const line = { level: 30, time: new Date().toISOString(), requestId, procedure: name, durationMs, reason };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

/** One status for all calls, 207 where they differ. */
export function statusOf(results: readonly ({ data: object } | { status: number })[]): number {
  const statuses = new Set(results.map((result) => ('status' in result ? result.status : 200)));
  const [first = 200] = statuses;
  return statuses.size > 1 ? 207 : first;
}

export function answerHeaders(requestId: string = randomUUID()): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    'content-type': 'application/json',
    vary: 'trpc-accept, accept',
  };
}
