import type { Answer } from './answer.ts';

/** What reached WeChat's side. */
export interface WechatRequest {
  readonly query: URLSearchParams;
  /** Empty for GET. */
  readonly body: string;
  /** '' where there is no such header. */
  readonly contentType: string;
}

/** One path of WeChat's side. Another one is another file beside `jscode2session.ts`, and a word in `server.ts`. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Whether WeChat takes money for each success. */
  readonly charges: boolean;
  /** The one-time code that the request brings, by which faults and counts find it. */
  codeOf(request: WechatRequest): string | undefined;
  /** Must decide and spend in one tick. Without `spend` it answers the same and leaves the code good. */
  answer(request: WechatRequest, options: { spend: boolean }): Answer;
  /** Whether the answer gave what was asked for. */
  succeeded(answer: Answer): boolean;
}

/** The one-time code in a body that is a JSON object. */
export function codeIn(body: string): string | undefined {
  const code = fieldsOf(body)?.['code'];
  return typeof code === 'string' ? code : undefined;
}

/** The fields of a body that is a JSON object; undefined for any other body. */
export function fieldsOf(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}
