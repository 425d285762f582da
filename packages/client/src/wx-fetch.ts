import type { AbortSignal } from './abort-controller.ts';
import { ClientError } from './errors.ts';
import type { Answer, Wx } from './wx.ts';

interface Init {
  body?: unknown;
  headers?: unknown;
  signal?: AbortSignal | null;
}

function requestIdOf(header: object): string | undefined {
  // The platforms differ in the case of header names.
  const found = Object.entries(Object(header) as object).find(([name]) => name.toLowerCase() === 'x-request-id');
  return found && String(found[1]);
}

/** How many calls a URL names: `/trpc/user.me,user.me?batch=1` has two. */
function callsIn(url: string): number {
  const [path = ''] = url.split('?');
  return path.slice(path.lastIndexOf('/')).split(',').length;
}

function read({ statusCode, data, header }: Answer, calls: number) {
  const requestId = requestIdOf(header);
  const refuse = (what: string, cause?: unknown) =>
    new ClientError('bad-response', `The answer (status ${statusCode}) ${what}`, {
      status: statusCode,
      requestId,
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(String(data));
  } catch (cause) {
    throw refuse('is not JSON', cause);
  }
  // One error for the whole batch is no array. Of an array each call takes its own result.
  if (Array.isArray(json) && json.length !== calls) throw refuse(`has ${json.length} results for ${calls} calls`);
  return {
    ok: statusCode >= 200 && statusCode < 300,
    status: statusCode,
    requestId,
    json: () => Promise.resolve(json),
  };
}

/** The part of `fetch` that `httpBatchLink` uses, over `wx.request`. Rejects with a `ClientError`. */
export function createWxFetch(wx: Pick<Wx, 'request'>, timeoutMs: number) {
  return (url: string, { body, headers, signal }: Init = {}) =>
    new Promise<ReturnType<typeof read>>((resolve, reject) => {
      if (signal?.aborted) {
        reject(new ClientError('aborted', 'The call was aborted'));
        return;
      }
      let task: { abort(): void } | undefined;
      /** Lets go of everything once there is an outcome: an abort after that finds nobody. */
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const giveUp = (error: ClientError) => {
        settle();
        reject(error);
        task?.abort();
      };
      const abort = () => giveUp(new ClientError('aborted', 'The call was aborted'));
      const timer = setTimeout(() => giveUp(new ClientError('timeout', `No answer within ${timeoutMs} ms`)), timeoutMs);
      signal?.addEventListener('abort', abort);

      task = wx.request({
        url,
        method: 'POST',
        data: String(body),
        // Anything but "json" leaves the body alone: a gateway's HTML must not pass for data.
        dataType: 'text',
        header: { ...(headers as Record<string, string>) },
        success(answer) {
          settle();
          try {
            resolve(read(answer, callsIn(url)));
          } catch (error) {
            reject(error);
          }
        },
        fail({ errMsg }) {
          settle();
          reject(new ClientError(/time.?out|timed.?out|超时/i.test(errMsg) ? 'timeout' : 'network', errMsg));
        },
      });
    });
}
