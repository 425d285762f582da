import { type Dispatcher, errors, Pool } from 'undici';
import { AppError } from '../errors.ts';
import { type Deadline, tooLate } from './deadline.ts';

const maxAnswerBytes = 64 * 1024;
const utf8 = new TextDecoder();

export interface WechatRequest {
  method: 'GET' | 'POST';
  path: string;
  query: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
}

/** `unanswered`: not one byte came back, so asking again cannot spend a code twice. */
export type WechatAnswer = { kind: 'answered'; json: unknown } | { kind: 'unanswered' };

export interface WechatHttp {
  /**
   * Sends one request, never repeated here. Rejects with AppError: WECHAT_TIMEOUT when the time is over,
   * WECHAT_BAD_RESPONSE for whatever is not a 200 with JSON of at most 64 KiB. No error names the URL: it has secrets.
   */
  send(request: WechatRequest, deadline: Deadline): Promise<WechatAnswer>;
  close(): Promise<void>;
}

export function createWechatHttp({
  baseUrl,
  keepsAlive = true,
}: {
  baseUrl: string;
  keepsAlive?: boolean;
}): WechatHttp {
  const pool = new Pool(baseUrl, {
    maxResponseSize: maxAnswerBytes,
    // The caller has a deadline; a timer per socket beside it would only cost.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 10_000,
    // A connection that is not made by then has nobody who waits for it.
    connectTimeout: 3000,
    // undici's way to say that each request has a connection of its own.
    ...(!keepsAlive && { pipelining: 0 }),
  });
  return {
    async send({ method, path, query, body }, deadline) {
      const options = {
        method,
        path: `${path}?${new URLSearchParams(query).toString()}`.replace(/\?$/, ''),
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      };
      const answer = await dispatch(pool, options, deadline);
      if (!answer) return { kind: 'unanswered' };
      if (answer.status !== 200) throw new AppError('WECHAT_BAD_RESPONSE', { detail: { status: answer.status } });
      try {
        return { kind: 'answered', json: JSON.parse(utf8.decode(answer.body)) };
      } catch {
        // The parser's own error quotes the text, which may be a session key.
        throw badResponse('NOT_JSON');
      }
    },
    close: () => pool.close(),
  };
}

/**
 * The answer to one request; null when not one byte of it came. undici's `request` fails in the same way before an
 * answer and in the midst of its head, and hears of no abort while it connects.
 */
function dispatch(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  deadline: Deadline,
): Promise<{ status: number; body: Buffer } | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let hasBegun = false;
    let controller: Dispatcher.DispatchController | undefined;

    function expire(): void {
      reject(tooLate());
      controller?.abort(new Error('DEADLINE'));
    }
    if (deadline.isOver) return expire();
    deadline.onOver(expire);
    pool.dispatch(options, {
      onRequestStart(begun) {
        controller = begun;
        // It was connecting until now: a request that nobody waits for is not sent.
        if (deadline.isOver) begun.abort(new Error('DEADLINE'));
      },
      /** At the first byte, be it of `100 Continue` or of half a status line. */
      onResponseStarted() {
        hasBegun = true;
      },
      onResponseStart(_, statusCode) {
        status = statusCode;
      },
      onResponseData(_, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        resolve({ status, body: Buffer.concat(chunks) });
      },
      onResponseError(_, error) {
        if (hasBegun || !neverAnswered(error)) reject(badResponse(codeOf(error)));
        else resolve(null);
      },
    });
  });
}

export function badResponse(code: string): AppError {
  return new AppError('WECHAT_BAD_RESPONSE', { detail: { code } });
}

/** Of a request without an answer: refused, unreachable, or closed, as a kept-alive connection may be as it is used. */
function neverAnswered(error: unknown): boolean {
  if (error instanceof errors.SocketError) return true;
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN'].includes(
    codeOf(error),
  );
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? code : 'UNKNOWN';
}
