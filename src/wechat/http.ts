import { type Dispatcher, EnvHttpProxyAgent, errors, Pool } from 'undici';
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
  /** Sent as it is, in place of `body`. */
  upload?: { contentType: string; bytes: Buffer };
}

/** `unanswered`: not one byte came back, so that a second request cannot spend a code twice. */
export type WechatAnswer = { kind: 'answered'; json: unknown } | { kind: 'unanswered'; code: UnansweredCode };

/** For the log: whether it was WeChat that did not answer, or the proxy in front of it. */
type UnansweredCode = 'UNANSWERED' | 'PROXY_UNREACHABLE';

/** The proxies for outgoing calls, as the environment names them; they may hold passwords. */
export interface Proxies {
  /** '' without a proxy. */
  httpProxy: string;
  httpsProxy: string;
  /** The hosts that are called without one. */
  noProxy: string;
}

export interface WechatHttp {
  /**
   * Sends a request once. Rejects with AppError: WECHAT_TIMEOUT when the time is over, WECHAT_BAD_RESPONSE unless the
   * answer is a 200 with JSON of at most 64 KiB. No error names the URL: it has secrets.
   */
  send(request: WechatRequest, deadline: Deadline): Promise<WechatAnswer>;
  close(): Promise<void>;
}

interface WechatHttpOptions {
  /** It may have a path, as a gateway in front of WeChat does. */
  baseUrl: string;
  proxies?: Proxies | null;
  keepsAlive?: boolean;
}

export function createWechatHttp({ baseUrl, proxies = null, keepsAlive = true }: WechatHttpOptions): WechatHttp {
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/$/, '');
  const options = {
    maxResponseSize: maxAnswerBytes,
    // The caller has a deadline; a timer per socket beside it would only cost.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 10_000,
    // By then no call waits for the connection any more.
    connectTimeout: 3000,
    // With this undici opens a connection for each request.
    ...(!keepsAlive && { pipelining: 0 }),
  };
  // A pool for one origin is faster than the agent, which looks up the proxy for each request.
  const dispatcher = proxies ? new EnvHttpProxyAgent({ ...options, ...proxies }) : new Pool(origin, options);
  return {
    async send({ method, path, query, body, upload }, deadline) {
      const options = {
        origin,
        method,
        path: `${prefix}${path}?${new URLSearchParams(query).toString()}`.replace(/\?$/, ''),
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
        ...(upload && { body: upload.bytes, headers: { 'content-type': upload.contentType } }),
      };
      const answer = await dispatch({ dispatcher, proxies }, options, deadline);
      if (typeof answer === 'string') return { kind: 'unanswered', code: answer };
      if (answer.status !== 200) throw new AppError('WECHAT_BAD_RESPONSE', { detail: { status: answer.status } });
      try {
        return { kind: 'answered', json: JSON.parse(utf8.decode(answer.body)) };
      } catch {
        // The parser's own error quotes the text, which may hold a session key.
        throw badResponse('NOT_JSON');
      }
    },
    close: () => dispatcher.close(),
  };
}

/**
 * The answer to one request; a code when not one byte of it came. undici's `request` fails alike before an answer and within
 * its head, and cannot be aborted while it connects.
 */
function dispatch(
  { dispatcher, proxies }: { dispatcher: Dispatcher; proxies: Proxies | null },
  options: Dispatcher.DispatchOptions,
  deadline: Deadline,
): Promise<{ status: number; body: Buffer } | UnansweredCode> {
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
    dispatcher.dispatch(options, {
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
        const proxyFailure = proxyFailureIn(error, proxies);
        if (typeof proxyFailure === 'string') resolve(proxyFailure);
        else if (proxyFailure) reject(proxyFailure);
        else if (hasAnswerBegun || !isUnanswered(error)) reject(badResponse(codeOf(error)));
        else resolve('UNANSWERED');
      },
    });
  });
}

export function badResponse(code: string): AppError {
  return new AppError('WECHAT_BAD_RESPONSE', { detail: { code } });
}

/** What a proxy did instead of connecting us; null when the failure is not the proxy's. undici tells its status in the message alone. */
function proxyFailureIn(error: unknown, proxies: Proxies | null): AppError | UnansweredCode | null {
  if (!proxies) return null;
  const { message, port, hostname } = Object(error) as {
    message?: unknown;
    port?: number | string;
    hostname?: unknown;
  };
  const status = Number(/^Proxy response \((\d{3})\)/.exec(String(message))?.[1] ?? 0);
  // The proxy cannot reach WeChat either.
  if (status >= 502 && status <= 504) return 'UNANSWERED';
  if (status > 0) {
    const advice =
      'The proxy in HTTPS_PROXY or HTTP_PROXY refuses to connect to WeChat: see its rules, and user and password';
    return new AppError('WECHAT_BAD_RESPONSE', { detail: { code: 'PROXY_REFUSED', status, advice } });
  }
  const addresses = [proxies.httpProxy, proxies.httpsProxy].filter(Boolean).map((text) => new URL(text));
  const isOfProxy = addresses.some(
    (url) => hostname === url.hostname || (port !== undefined && String(port) === url.port),
  );
  return isOfProxy ? 'PROXY_UNREACHABLE' : null;
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
