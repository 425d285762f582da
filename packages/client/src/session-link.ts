import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client';
import type { AnyRouter } from '@trpc/server';
import { observable, observableToPromise } from '@trpc/server/observable';
import type { AbortSignal } from './abort-controller.ts';
import type { SessionState } from './api.ts';
import { ClientError, failureOf } from './errors.ts';
import { whenOver } from './login-turn.ts';
import { isSessionState, type StoredSession } from './stored-session.ts';

interface Parts {
  stored: StoredSession;
  renew: (refused: string | undefined) => Promise<SessionState>;
  /** Is told of each call that fails in the end, repetition included. */
  report: (error: unknown, path: string) => void;
}

/** Whether a procedure spends a code: it needs no token, brings a session, and must never be repeated. */
export const isLogin = ({ path }: { path: string }) => path === 'auth.login' || path === 'auth.checkUser';
const isLogout = ({ path }: { path: string }) => path === 'auth.logout' || path === 'auth.logoutAll';
const endsSession = (op: { path: string }) => isLogout(op) || op.path === 'user.deleteAccount';
/** The ones known to need a session. Others learn it from their refusal. */
const isSignedIn = (op: { path: string }) => isLogout(op) || op.path.startsWith('user.');

/** Puts the token of the moment into a batch, and on each of its operations a note of which one that was. */
export function bearer({ peek }: Pick<StoredSession, 'peek'>, more: () => Promise<Record<string, string>>) {
  return async ({ opList }: { opList: Operation[] }): Promise<Record<string, string>> => {
    const headers = await more();
    const token = peek()?.token;
    for (const { context } of opList) context.token = token;
    return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
  };
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(new ClientError('aborted', 'The call was aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    whenOver(promise, () => signal.removeEventListener('abort', abort)).then(resolve, reject);
  });
}

function isSessionRefused(error: unknown): boolean {
  const failure = failureOf(error);
  return failure.kind === 'refused' && failure.reason === 'SESSION_INVALID';
}

/** Sees to it that calls have a session, and repeats once, after one login, those that were refused for want of one. */
export function sessionLink<TRouter extends AnyRouter>({ stored, renew, report }: Parts): TRPCLink<TRouter> {
  return () =>
    ({ op, next }) => {
      const context: { token?: string | undefined } = { ...op.context };

      /** Only the token that went with this call is dropped: a late refusal must not kill a fresh session. */
      function drop() {
        if (context.token !== undefined) stored.invalidate(context.token);
      }

      async function send() {
        if (op.signal?.aborted) throw new ClientError('aborted', 'The call was aborted');
        try {
          return await observableToPromise(next({ ...op, context }));
        } catch (error) {
          if (isSessionRefused(error)) drop();
          throw error;
        }
      }

      async function login() {
        const answer = await send();
        const data = 'data' in answer.result ? answer.result.data : undefined;
        if (!isSessionState(data)) throw new ClientError('bad-response', `${op.path} answered without a session`);
        stored.accept({ ...data, hasProfile: data.user.hasProfile });
        return answer;
      }

      async function call() {
        // A token is enough: whether WeChat still honours the session key is of no concern to a call.
        if (isSignedIn(op)) await renew(undefined);
        const answer = await send().catch(async (error: unknown) => {
          if (!isSessionRefused(error) || isLogout(op)) throw error;
          await renew(context.token);
          return send();
        });
        if (endsSession(op)) drop();
        return answer;
      }

      return observable((observer) => {
        async function settle() {
          try {
            observer.next(await untilAborted(isLogin(op) ? login() : call(), op.signal));
            observer.complete();
          } catch (error) {
            report(error, op.path);
            observer.error(TRPCClientError.from(Object(error) as Error));
          }
        }
        void settle();
      });
    };
}
