import { connect } from 'node:net';
import { nthUser, tokenOf } from './seed.ts';

/** What the load generator is asked to do, over its channel to the parent. */
export type Order =
  | { kind: 'logins'; standinUrl: string; users: number; count: number }
  | { kind: 'run'; urls: readonly string[]; target: Target; seconds: number; connections: number };

/** `tokens`: of those that earlier runs against these URLs were answered, or of the sessions that are there from the start. */
export interface Target {
  method: 'GET' | 'POST';
  path: string;
  sends: 'logins' | 'tokens';
  /** How many users have a session from the start. */
  seeded?: number;
  /** How many logins go in one request, as tRPC batches them. */
  batch?: number;
}

export interface Measured {
  requests: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that were no 200, with an example. */
  failures: number;
  failure: string | undefined;
}

let logins: string[] = [];
const tokens = new Map<string, string[]>();
const maxTokens = 5000;

process.on('message', (order: Order) => {
  perform(order).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

async function perform(order: Order): Promise<unknown> {
  if (order.kind === 'run') return await run(order);
  const { standinUrl, count, users } = order;
  const minted: object[] = await (await fetch(`${standinUrl}/inputs?count=${count}&users=${users}`)).json();
  logins = minted.map((login) => JSON.stringify(login));
  return logins.length;
}

/** Keeps `connections` sockets busy, spread over the servers, each with one request at a time, until the time or the logins are over. */
async function run({ urls, target, seconds, connections }: Extract<Order, { kind: 'run' }>): Promise<Measured> {
  const known = tokens.get(urls.join()) ?? [];
  tokens.set(urls.join(), known);
  const latencies: number[] = [];
  let failures = 0;
  let failure: string | undefined;
  let sent = target.seeded ? Math.floor(Math.random() * target.seeded) : 0;
  const start = performance.now();
  const end = start + seconds * 1000;

  function nextRequest(): string | undefined {
    if (performance.now() > end) return undefined;
    const head = `${target.method} ${target.path} HTTP/1.1\r\nhost: bench\r\n`;
    if (target.sends === 'tokens') {
      const token = target.seeded ? tokenOf(nthUser(sent++, target.seeded)) : known[sent++ % known.length];
      return `${head}authorization: Bearer ${token}\r\n\r\n`;
    }
    const taken = logins.splice(-(target.batch ?? 1));
    if (taken.length < (target.batch ?? 1)) return undefined;
    const body = target.batch ? `{${taken.map((login, index) => `"${index}":${login}`).join()}}` : (taken[0] ?? '');
    return `${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  function take(status: string, answer: string): void {
    if (status !== '200') {
      failures += 1;
      failure = `${status} ${answer.slice(0, 300)}`;
    }
    if (target.sends === 'logins' && known.length < maxTokens) {
      for (const [, token] of answer.matchAll(/"token":"([\w-]{43})"/g)) if (token) known.push(token);
    }
  }

  async function worker(_: unknown, index: number): Promise<void> {
    const { hostname, port } = new URL(urls[index % urls.length] ?? '');
    const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1');
    await new Promise<void>((resolve, reject) => {
      let received = '';
      let sentAt = 0;
      const send = () => {
        const request = nextRequest();
        sentAt = performance.now();
        if (request === undefined) socket.end(resolve);
        else socket.write(request);
      };
      socket.on('error', reject).on('close', resolve).on('connect', send);
      socket.on('data', (chunk: string) => {
        received += chunk;
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd))?.[1];
        const isWhole = length ? received.length >= headEnd + 4 + Number(length) : received.endsWith('\r\n0\r\n\r\n');
        if (!isWhole) return;
        latencies.push(performance.now() - sentAt);
        take(received.slice(9, 12), received.slice(headEnd + 4));
        received = '';
        send();
      });
    });
  }

  await Promise.all(Array.from({ length: connections }, worker));
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    requests: sorted.length,
    seconds: (performance.now() - start) / 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    failures,
    failure,
  };
}
