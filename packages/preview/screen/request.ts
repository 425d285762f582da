import type { Native } from '../native.ts';
import { settle, type Callbacks } from './settle.ts';

interface RequestOptions extends Callbacks {
  url: string;
  method?: string;
  data?: unknown;
  header?: Record<string, string>;
  timeout?: number;
  dataType?: string;
}

/** `wx.request`: every HTTP status is a success, and the answer is parsed as JSON where it can be, unless told otherwise. */
export function createRequest(native: Native) {
  return (options: RequestOptions): { abort(): void } => {
    const { method = 'GET', timeout = 60_000, dataType = 'json' } = options;
    const header: Record<string, string> = { 'content-type': 'application/json' };
    for (const [name, value] of Object.entries(options.header ?? {})) header[name.toLowerCase()] = value;
    const task = native.request({
      ...encode(options.url, method.toUpperCase(), options.data),
      method: method.toUpperCase(),
      header,
      timeoutMs: Math.min(timeout, 60_000),
    });
    // Always with a callback: wx.request gives back its task, never a promise.
    void settle('request', { complete() {}, ...options }, async () => {
      const { statusCode, header, body } = await task.answer;
      return { statusCode, header, cookies: [], data: dataType === 'json' ? parsed(body) : body };
    });
    return { abort: () => task.abort() };
  };
}

function encode(url: string, method: string, data: unknown): { url: string; body: string | null } {
  if (data === undefined || data === null) return { url, body: null };
  if (method !== 'GET') return { url, body: typeof data === 'string' ? data : JSON.stringify(data) };
  const query = Object.entries(data).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  );
  return { url: url + (url.includes('?') ? '&' : '?') + query.join('&'), body: null };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
