import { errors, Pool } from 'undici';
import { LoginError } from '../errors.ts';

const maxAnswerBytes = 64 * 1024;

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
   * Sends one request, never repeated here. Rejects with LoginError: WECHAT_TIMEOUT when the signal aborts,
   * WECHAT_BAD_RESPONSE for whatever is not a 200 with JSON of at most 64 KiB. No error names the URL: it has secrets.
   */
  send(request: WechatRequest, signal: AbortSignal): Promise<WechatAnswer>;
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
    // The caller's signal is the deadline; a timer per socket beside it would only cost.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 10_000,
    // undici's way to say that each request has a connection of its own.
    ...(!keepsAlive && { pipelining: 0 }),
  });
  return {
    async send({ method, path, query, body }, signal) {
      const answer = await pool
        .request({
          method,
          path: `${path}?${new URLSearchParams(query).toString()}`.replace(/\?$/, ''),
          signal,
          ...(body !== undefined && {
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          }),
        })
        .catch((error: unknown) => {
          if (signal.aborted) throw new LoginError('WECHAT_TIMEOUT', { detail: { code: 'DEADLINE' } });
          if (neverAnswered(error)) return null;
          throw badResponse(codeOf(error));
        });
      if (!answer) return { kind: 'unanswered' };
      const text = await answer.body.text().catch((error: unknown) => {
        if (signal.aborted) throw new LoginError('WECHAT_TIMEOUT', { detail: { code: 'DEADLINE' } });
        throw badResponse(codeOf(error));
      });
      if (answer.statusCode !== 200)
        throw new LoginError('WECHAT_BAD_RESPONSE', { detail: { status: answer.statusCode } });
      try {
        return { kind: 'answered', json: JSON.parse(text) };
      } catch {
        // The parser's own error quotes the text, which may be a session key.
        throw badResponse('NOT_JSON');
      }
    },
    close: () => pool.close(),
  };
}

export function badResponse(code: string): LoginError {
  return new LoginError('WECHAT_BAD_RESPONSE', { detail: { code } });
}

/** Refused, unreachable, or closed before the first byte of an answer, as a kept-alive connection may be. */
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
