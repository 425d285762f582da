import type { Native, RequestOptions } from '../native.ts';
import { addressOf } from '../network.ts';

/** The phone's native side, reached through the preview server: network and login happen in Node, so there is no CORS. */
export function createBridge({
  appId,
  hosts,
  onChange,
}: {
  appId: string;
  hosts: Readonly<Record<string, string>>;
  onChange: () => void;
}): Native {
  async function ask<T>(name: string, body: unknown = {}, signal: AbortSignal | null = null): Promise<T> {
    const answer = await fetch(`/native/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    }).catch(() => {
      throw new Error(signal?.aborted ? 'abort' : 'the preview server is gone');
    });
    onChange();
    const told = (await answer.json()) as { result: T } | { error: string };
    if ('error' in told) throw new Error(told.error);
    return told.result;
  }
  return {
    appId,
    request(options: RequestOptions) {
      const aborter = new AbortController();
      return { answer: ask('request', options, aborter.signal), abort: () => aborter.abort() };
    },
    login: () => ask('login'),
    checkSession: () => ask('checkSession'),
    person: () => ask('person'),
    getUserProfile: (options) => ask('getUserProfile', options),
    getPhoneNumber: () => ask('getPhoneNumber'),
    pictures: () => ask('pictures'),
    compressImage: (options) => ask('compressImage', options),
    addressOf: (url) => addressOf(url, hosts),
  };
}
