import type { RequestAnswer, RequestOptions, RequestTask } from './native.ts';

/** A phone's way out. */
export interface Network {
  /** Throws in the words of a phone when there is no network. */
  reach(): void;
  request(options: RequestOptions): RequestTask;
  addressOf(url: string): string;
}

/** `wx.request` runs at most so many at once; the others wait. */
const maxRequests = 10;

/** Where a URL of one of the `hosts` is found; undefined for any other. */
function found(url: string, hosts: Readonly<Record<string, string>>): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { origin, pathname, search } = new URL(url);
  const host = hosts[origin];
  return host === undefined ? undefined : host + pathname + search;
}

/** A URL of one of the `hosts` as it is found; any other is left as it is. */
export function addressOf(url: string, hosts: Readonly<Record<string, string>>): string {
  return found(url, hosts) ?? url;
}

/** A phone's way out: to the origins in `hosts` only, each of which is found where `hosts` says. */
export function createNetwork({
  hosts,
  isOffline,
}: {
  hosts: Readonly<Record<string, string>>;
  isOffline: () => boolean;
}): Network {
  const queue = createQueue(maxRequests);
  const reach = () => {
    if (isOffline()) throw new Error('errcode:-106 error_msg:net::ERR_INTERNET_DISCONNECTED');
  };
  return {
    reach,
    request({ url, method, header, body, timeoutMs }) {
      const aborter = new AbortController();
      const { signal } = aborter;
      let reason = 'abort';
      const timer = setTimeout(() => {
        reason = 'timeout';
        aborter.abort();
      }, timeoutMs);
      const answer = queue(async (): Promise<RequestAnswer> => {
        try {
          reach();
          signal.throwIfAborted();
          const address = found(url, hosts);
          if (address === undefined)
            throw new Error(URL.canParse(url) ? 'url not in domain list' : `invalid url "${url}"`);
          const response = await fetch(address, {
            method,
            headers: header,
            signal,
            ...(body !== null && { body }),
          });
          const text = await response.text();
          return { statusCode: response.status, header: Object.fromEntries(response.headers), body: text };
        } catch (error) {
          throw signal.aborted ? new Error(reason) : networkError(error);
        } finally {
          clearTimeout(timer);
        }
      });
      return { answer, abort: () => aborter.abort() };
    },
    addressOf: (url) => addressOf(url, hosts),
  };
}

function createQueue(limit: number) {
  let running = 0;
  const waiting: Array<() => void> = [];
  return async function run<T>(act: () => Promise<T>): Promise<T> {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await act();
    } finally {
      // The place goes to the call that has waited longest, or is free.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/** In the words of a phone. */
function networkError(error: unknown): Error {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  if (cause?.code === undefined) return error instanceof Error ? error : new Error(String(error));
  const net =
    cause.code === 'ECONNREFUSED'
      ? '-102 error_msg:net::ERR_CONNECTION_REFUSED'
      : '-101 error_msg:net::ERR_CONNECTION_RESET';
  return new Error(`errcode:${net}`);
}
