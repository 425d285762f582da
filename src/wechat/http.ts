import { type Dispatcher, errors, Pool } from 'undici';
import { AppError } from '../errors.ts';
import { type Deadline, deadlineError } from './deadline.ts';

const maxAnswerBytes = 64 * 1024;
const utf8 = new TextDecoder();

export interface WechatRequest {
  method: 'GET' | 'POST';
  path: string;
  query: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
}

/** `unanswered`: not one byte came back, so that a second request cannot spend a code twice. */
export type WechatAnswer = { kind: 'answered'; json: unknown } | { kind: 'unanswered' };

export interface WechatHttp {
  /**
   * Sends a request once. Rejects with AppError: WECHAT_TIMEOUT when the time is over, WECHAT_BAD_RESPONSE unless the
   * answer is a 200 with JSON of at most 64 KiB. No error names the URL: it has secrets.
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
    // By then no call waits for the connection any more.
    connectTimeout: 3000,
    // With this undici opens a connection for each request.
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
        // The parser's own error quotes the text, which may hold a session key.
        throw badResponse('NOT_JSON');
      }
    },
    close: () => pool.close(),
  };
}

/**
 * The answer to one request; null when not one byte of it came. undici's `request` fails alike before an answer and within
 * its head, and cannot be aborted while it connects.
 */
function dispatch(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  deadline: Deadline,
): Promise<{ status: number; body: Buffer } | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let hasAnswerBegun = false;
    let controller: Dispatcher.DispatchController | undefined;

    function expire(): void {
      reject(deadlineError());
      controller?.abort(new Error('DEADLINE'));
    }
    if (deadline.isOver) return expire();
    deadline.onOver(expire);
    pool.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        // It was connecting until now: a request whose time is over is not sent.
        if (deadline.isOver) started.abort(new Error('DEADLINE'));
      },
      /** Comes with the first byte, even of `100 Continue` or of half a status line. */
      onResponseStarted() {
        hasAnswerBegun = true;
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
        if (hasAnswerBegun || !isUnanswered(error)) reject(badResponse(codeOf(error)));
        else resolve(null);
      },
    });
  });
}

export function badResponse(code: string): AppError {
  return new AppError('WECHAT_BAD_RESPONSE', { detail: { code } });
}

/** Whether the connection was refused, unreachable, or closed before an answer, as a kept-alive one may be. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof errors.SocketError) return true;
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN'].includes(
    codeOf(error),
  );
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? code : 'UNKNOWN';
}
