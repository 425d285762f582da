import { connect } from 'node:net';
import { inputOf, type MintedLogin, needsCode, type RequestKind, writeRequest } from './requests.ts';
import { nthUser, tokenOf } from './seed.ts';

/** What the load generator is asked to do, over its channel to the parent. */
export type Order =
  | { kind: 'prepare'; standinUrl: string; users: number; count: number; request: RequestKind }
  | ({ kind: 'run'; urls: readonly string[]; seconds: number; connections: number } & Target);

export interface Target {
  request: RequestKind;
  /** How many users have a session from the start; else tokens are those that earlier logins at these URLs were answered. */
  seeded?: number;
}

export interface Measured {
  requests: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that were no 200, with an example. */
  failures: number;
  failure: string | undefined;
  /** The last answer, its head included. */
  answer: string;
}

let inputs: string[] = [];
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
  const { standinUrl, count, users, request } = order;
  const minted: MintedLogin[] = await (await fetch(`${standinUrl}/inputs?count=${count}&users=${users}`)).json();
  inputs = minted.map((login) => inputOf(request, login));
  return inputs.length;
}

/** Keeps `connections` sockets busy, spread over the servers, each with one request at a time, until the time or the inputs are over. */
async function run({
  urls,
  request,
  seeded,
  seconds,
  connections,
}: Extract<Order, { kind: 'run' }>): Promise<Measured> {
  const known = tokens.get(urls.join()) ?? [];
  tokens.set(urls.join(), known);
  const latencies: number[] = [];
  let failures = 0;
  let failure: string | undefined;
  let answer = '';
  let sent = seeded ? Math.floor(Math.random() * seeded) : 0;
  const start = performance.now();
  const end = start + seconds * 1000;

  function nextRequest(): string | undefined {
    if (performance.now() > end) return undefined;
    if (needsCode(request)) {
      const taken = inputs.splice(-request.calls);
      return taken.length < request.calls ? undefined : writeRequest(request, { inputs: taken });
    }
    const token = seeded ? tokenOf(nthUser(sent++, seeded)) : known[sent++ % known.length];
    if (token === undefined) throw new Error('There is no token yet: no login came before');
    return writeRequest(request, { token });
  }

  function take(received: string): void {
    answer = received;
    if (!received.startsWith('HTTP/1.1 200 ')) {
      failures += 1;
      failure = received.slice(0, 600);
    }
    if (needsCode(request) && known.length < maxTokens) {
      for (const [, token] of received.matchAll(/"token":"([\w-]{43})"/g)) if (token) known.push(token);
    }
  }

  async function worker(_: unknown, index: number): Promise<void> {
    const { hostname, port } = new URL(urls[index % urls.length] ?? '');
    const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1');
    await new Promise<void>((resolve, reject) => {
      let received = '';
      let sentAt = 0;
      const send = () => {
        const next = nextRequest();
        sentAt = performance.now();
        if (next === undefined) socket.end(resolve);
        else socket.write(next);
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
        take(received);
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
    answer,
  };
}
