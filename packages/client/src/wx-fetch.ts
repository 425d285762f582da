import type { AbortSignal } from './abort-controller.ts';
import { ClientError } from './errors.ts';
import { type Answer, callPlatform, ignore, refusalOf, type Transport } from './wx.ts';

interface Init {
  body?: unknown;
  headers?: unknown;
  signal?: AbortSignal | null;
}

const maxRetryAfterMs = 24 * 60 * 60 * 1000;

function headerOf(header: object, wanted: string): string | undefined {
  // The platforms differ in the case of header names.
  const found = Object.entries(Object(header) as object).find(([name]) => name.toLowerCase() === wanted);
  return found && String(found[1]);
}

/** `Retry-After` has seconds or a date. A timer set to more than 24 days would fire at once, so a day is the most. */
function retryAfterMsOf(header: object): number | undefined {
  const value = headerOf(header, 'retry-after')?.trim() ?? '';
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return waitMs >= 0 ? Math.min(waitMs, maxRetryAfterMs) : undefined;
}

/** How many calls a URL names: `/trpc/user.me,user.me?batch=1` has two. */
function callsIn(url: string): number {
  const [path = ''] = url.split('?');
  return path.slice(path.lastIndexOf('/')).split(',').length;
}

function read({ statusCode: status, data, header }: Answer, calls: number) {
  const response = { status, requestId: headerOf(header, 'x-request-id'), retryAfterMs: retryAfterMsOf(header) };
  const refuse = (what: string, cause?: unknown) =>
    new ClientError('bad-response', `The answer (status ${status}) ${what}`, { ...response, cause });
  let json: unknown;
  try {
    json = JSON.parse(String(data));
  } catch (cause) {
    throw refuse('is not JSON', cause);
  }
  // An error of the whole batch is an object. In an array each call has its own result.
  if (Array.isArray(json) && json.length !== calls) throw refuse(`has ${json.length} results for ${calls} calls`);
  return { ...response, ok: status >= 200 && status < 300, json: () => Promise.resolve(json) };
}

/** errno 5 is WeChat's for a timeout. */
const isTimeout = (errMsg: string, errno?: number) => errno === 5 || /time.?out|timed.?out|超时/i.test(errMsg);

/** The developer's to mend, not the user's: no later attempt gets through. 600002 and 600009 are WeChat's for the two. */
const isSetUpFault = (errMsg: string, errno?: number) =>
  errno === 600002 || errno === 600009 || /url not in domain list|invalid url/i.test(errMsg);

function failureToSend(failed: unknown): ClientError {
  const { errMsg, errno } = refusalOf(failed);
  if (isSetUpFault(errMsg, errno)) return new ClientError('set-up', errMsg, { errno });
  return new ClientError(isTimeout(errMsg, errno) ? 'timeout' : 'network', errMsg, { errno });
}

/** Not every framework gives a task, or one that can be aborted. The caller has its answer already. */
function abortTask(task: unknown): void {
  const { abort } = Object(task) as { abort?: () => void };
  callPlatform(() => abort?.call(task), ignore);
}

/** The part of `fetch` that `httpBatchLink` uses, over `wx.request`. Rejects with a `ClientError`. */
export function createWxFetch(request: Transport, timeoutMs: number) {
  return (url: string, { body, headers, signal }: Init = {}) =>
    new Promise<ReturnType<typeof read>>((resolve, reject) => {
      if (signal?.aborted) {
        reject(new ClientError('aborted', 'The call was aborted'));
        return;
      }
      /** Removes the timer and the listener once there is an outcome: a later abort has no effect. */
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const giveUp = (error: ClientError) => {
        settle();
        reject(error);
        abortTask(task);
      };
      const abort = () => giveUp(new ClientError('aborted', 'The call was aborted'));
      const timer = setTimeout(() => giveUp(new ClientError('timeout', `No answer within ${timeoutMs} ms`)), timeoutMs);
      signal?.addEventListener('abort', abort);

      const success = (answer: Answer) => {
        settle();
        try {
          resolve(read(answer, callsIn(url)));
        } catch (error) {
          reject(error);
        }
      };
      const fail = (failed: unknown) => {
        settle();
        reject(failureToSend(failed));
      };
      const task = callPlatform(
        () =>
          request({
            url,
            method: 'POST',
            data: String(body),
            // Anything but "json" leaves the body alone: a gateway's HTML must not pass for data.
            dataType: 'text',
            header: { ...(headers as Record<string, string>) },
            success,
            fail,
          }),
        fail,
      );
    });
}
