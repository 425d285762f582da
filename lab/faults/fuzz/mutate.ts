import type { Message } from './message.ts';
import type { Random } from './random.ts';
import { canary, oddName, oddString, oddValue } from './values.ts';

export type Mutation = (message: Message, random: Random) => void;

const methods = [
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'CONNECT',
  'post',
  'QUERY',
  canary,
];
const procedures = [
  'auth.checkUser',
  'auth.login',
  'auth.logout',
  'auth.logoutAll',
  'user.me',
  'user.updateProfile',
  'user.bindPhone',
  'auth',
  'user',
  'auth.login.x',
  '__proto__',
  'constructor',
  'auth.__proto__',
  'auth.constructor',
  'toString',
  `auth.${canary}`,
  '',
  '%61uth.login',
];
const targets = [
  '/',
  '/trpc',
  '/trpc/',
  '//trpc/user.me',
  '/trpc//user.me',
  '/trpc/./user.me',
  '/trpc/../healthz',
  '/trpc/%2e%2e/healthz',
  '/TRPC/user.me',
  '/trpc/user%2eme',
  '/trpc/user.me/',
  '/trpc/%00',
  '/trpc/%zz',
  '/trpc/%',
  `/trpc/${canary}`,
  '/trpc/user.me?batch=1&input=%7B%7D',
  '/trpc/user.me?input=%zz',
  '/trpc/auth.checkUser?input=%7B%22code%22%3A%22abc%22%7D',
  '/healthz',
  '/readyz',
  '/healthz?x=1',
  '/metrics',
  '/avatars/',
  `/avatars/${'a'.repeat(64)}.webp`,
  `/avatars/..%2f..%2fetc%2fpasswd.webp`,
  `/avatars/${canary}.webp`,
  '*',
  'http://evil.test/trpc/user.me',
  'guoke.test:80',
  `/${'a/'.repeat(3000)}`,
  `/trpc/${'user.me,'.repeat(500)}?batch=1`,
  `/trpc/user.me?${'a=b&'.repeat(2000)}`,
];
const mediaTypes = [
  'application/json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'application/json; charset=utf-16',
  'application/json;charset=utf-8;x=y',
  'text/plain',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'application/jsonl',
  'application/xml',
  '',
  canary,
  'application/json, application/json',
];
const oddHeaders: readonly [string, string][] = [
  ['content-encoding', 'gzip'],
  ['content-encoding', 'identity'],
  ['content-encoding', 'br, gzip'],
  ['trpc-accept', 'application/jsonl'],
  ['accept', 'text/event-stream'],
  ['accept', 'application/jsonl'],
  ['x-trpc-source', canary],
  ['expect', '100-continue'],
  ['expect', canary],
  ['connection', 'close'],
  ['connection', 'upgrade'],
  ['upgrade', 'websocket'],
  ['cookie', `token=${canary}`],
  ['x-request-id', canary],
  ['x-forwarded-for', '1.2.3.4, ::1, nonsense'],
  ['x-forwarded-for', canary],
  ['forwarded', 'for="[::1]"'],
  ['x-http-method-override', 'DELETE'],
  ['range', 'bytes=0-1'],
  ['if-none-match', '*'],
  ['origin', 'https://evil.test'],
  ['host', 'evil.test'],
  ['host', ''],
  ['host', 'a b'],
  ['last-event-id', '1'],
  ['accept-encoding', 'gzip'],
  ['authorization', 'Bearer'],
  ['authorization', `Bearer ${canary}`],
  ['authorization', `Basic ${Buffer.from('a:b').toString('base64')}`],
  ['authorization', `Bearer ${'A'.repeat(43)}`],
  ['authorization', `Bearer ${'é'.repeat(43)}`],
  ['content-length', '0'],
  ['content-length', '5'],
  ['content-length', '1000000'],
  ['content-length', '-1'],
  ['content-length', 'x'],
  ['transfer-encoding', 'gzip, chunked'],
  ['transfer-encoding', 'identity'],
  ['x-long', 'x'.repeat(20_000)],
  ['x-null', 'a\u0000b'],
  ['x-latin', 'é\u00ff'],
  ['bad name', 'x'],
  ['', 'x'],
];

/** Every way to spoil a request; each is small, and several are made on one. */
export const mutations: Readonly<Record<string, Mutation>> = {
  method: (message, random) => {
    message.method = random.pick(methods);
  },
  target: (message, random) => {
    message.target = random.pick(targets);
  },
  procedure: (message, random) => {
    const query = message.target.includes('?') ? message.target.slice(message.target.indexOf('?')) : '';
    message.target = `/trpc/${random.pick(procedures)}${query}`;
  },
  moreProcedures: (message, random) => {
    const [path = '', query = ''] = message.target.split('?');
    const more = Array.from({ length: 1 + random.below(12) }, () => random.pick(procedures));
    message.target = `${path},${more.join(',')}?${random.chance(0.8) ? 'batch=1&' : ''}${query}`;
  },
  query: (message, random) => {
    const separator = message.target.includes('?') ? '&' : '?';
    const parameters = [
      'batch=1',
      'batch=0',
      'batch',
      'batch=1&batch=2',
      'input=',
      'input=null',
      'input=%7B%220%22%3Anull%7D',
      'connectionParams=1',
    ];
    message.target += `${separator}${random.pick([...parameters, `input=${canary}`, `x=${new URLSearchParams({ x: oddString(random) }).toString().slice(2, 2000)}`])}`;
  },
  encodedTarget: (message, random) => {
    const at = 1 + random.below(Math.max(1, message.target.length - 1));
    const byte = random.pick(['%00', '%2f', '%2e', '%', '%c3%28', '\u00ff', ' ', '\t', '#', '\\', ';']);
    message.target = message.target.slice(0, at) + byte + message.target.slice(at);
  },
  mediaType: (message, random) => {
    message.headers = message.headers.filter(([name]) => name !== 'content-type');
    if (random.chance(0.9)) message.headers.push(['content-type', random.pick(mediaTypes)]);
  },
  header: (message, random) => {
    message.headers.push(random.pick(oddHeaders));
  },
  headerTwice: (message, random) => {
    if (message.headers.length > 0) message.headers.push([...random.pick(message.headers)]);
  },
  headerGone: (message, random) => {
    if (message.headers.length > 0) message.headers.splice(random.below(message.headers.length), 1);
  },
  token: (message, random) => {
    const header = message.headers.find(([name]) => name === 'authorization');
    if (!header) return;
    const at = 7 + random.below(Math.max(1, header[1].length - 7));
    header[1] = random.pick([
      header[1].slice(0, at),
      `${header[1].slice(0, at)}A${header[1].slice(at + 1)}`,
      header[1].toLowerCase(),
      `${header[1]} `,
      `${header[1]}, ${header[1]}`,
      header[1].replace('Bearer ', ''),
    ]);
  },
  jsonValue: ofJson((json, random) => replaceSomewhere(json, random, () => oddValue(random))),
  jsonString: ofJson((json, random) => replaceSomewhere(json, random, () => oddString(random))),
  jsonWrapped: ofJson((json, random) =>
    random.pick<unknown>([
      [json],
      { json },
      { 0: json },
      { input: json },
      [json, json],
      null,
      json,
      JSON.stringify(json),
    ]),
  ),
  jsonKey: ofJson((json, random) => {
    if (typeof json !== 'object' || json === null) return json;
    const entries = Object.entries(json);
    if (random.chance(0.5)) entries.splice(random.below(entries.length + 1), 1);
    else entries.push([oddName(random), oddValue(random)]);
    return Object.fromEntries(entries);
  }),
  /** As text: an object of JavaScript cannot hold these. */
  jsonText: (message, random) => {
    const text = message.body.toString();
    const odd = [
      '"__proto__":{"code":"abc"},',
      '"code":1e999,',
      '"code":"a","code":"b",',
      '"\\u0000":1,',
      '"a":[[[[',
      '"x":01,',
      "'a':1,",
      '/**/',
      'NaN,',
    ];
    message.body = Buffer.from(text.replace('{', `{${random.pick(odd)}`));
  },
  bytes: (message, random) => {
    if (message.body.length === 0) return;
    const body = Buffer.from(message.body);
    for (let flips = 1 + random.below(4); flips > 0; flips--) body[random.below(body.length)] = random.below(256);
    message.body = body;
  },
  cut: (message, random) => {
    message.body = message.body.subarray(0, random.below(message.body.length + 1));
  },
  stuffed: (message, random) => {
    const stuffing = random.pick(['\uFEFF', ' '.repeat(66_000), '\u0000', '[', '}'.repeat(10), '\n'.repeat(600_000)]);
    message.body = Buffer.concat(
      random.chance(0.5) ? [Buffer.from(stuffing), message.body] : [message.body, Buffer.from(stuffing)],
    );
  },
  utf16: (message) => {
    message.body = Buffer.from(message.body.toString(), 'utf16le');
  },
  noBody: (message) => {
    message.body = Buffer.alloc(0);
  },
  chunked: (message) => {
    message.framing = 'chunked';
  },
};

function ofJson(change: (json: unknown, random: Random) => unknown): Mutation {
  return (message, random) => {
    try {
      const changed = change(JSON.parse(message.body.toString()), random);
      message.body = Buffer.from(JSON.stringify(changed) ?? '');
    } catch {
      // Spoilt already.
    }
  };
}

/** A copy in which one place, found by going down at random, holds something else. */
function replaceSomewhere(json: unknown, random: Random, make: () => unknown): unknown {
  if (typeof json !== 'object' || json === null || random.chance(0.15)) return make();
  const keys = Object.keys(json);
  if (keys.length === 0) return make();
  const key = random.pick(keys);
  const inner: unknown = Reflect.get(json, key);
  return Array.isArray(json)
    ? json.map((each: unknown, index) => (String(index) === key ? replaceSomewhere(each, random, make) : each))
    : { ...json, [key]: replaceSomewhere(inner, random, make) };
}
