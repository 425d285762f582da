/** What the caller of one of WeChat's APIs may leave to be called. */
export interface Callbacks {
  success?: (result: object) => void;
  fail?: (error: object) => void;
  complete?: (result: object) => void;
}

/** Answers as WeChat's APIs do: to the callbacks where there are any, as a promise where there are none, never at once. */
export function settle(
  name: string,
  callbacks: Callbacks | undefined,
  act: () => Promise<object | void>,
): Promise<object> | undefined {
  const work = Promise.resolve().then(act);
  const answer = work.then((result) => ({ ...result, errMsg: `${name}:ok` }));
  const refusal = (error: unknown) => ({ errMsg: `${name}:fail ${messageOf(error)}` });
  const { success, fail, complete } = callbacks ?? {};
  if (!success && !fail && !complete) {
    // oxlint-disable-next-line no-throw-literal -- WeChat rejects with a plain object.
    return answer.catch((error: unknown) => Promise.reject(refusal(error)));
  }
  void answer.then(
    (result) => run(success, complete, result),
    (error: unknown) => run(fail, complete, refusal(error)),
  );
  return undefined;
}

/** An exception of a callback is the page's own; it must not turn a success into a failure. */
function run(first: Callbacks['success'], last: Callbacks['complete'], result: object): void {
  for (const callback of [first, last]) {
    try {
      callback?.(result);
    } catch (error) {
      console.error(error);
    }
  }
}

/** An error of the native side is of another realm in jsdom, where `instanceof` does not know it. */
function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null)?.message ?? error);
}
