import { afterAll, beforeAll, expect, it } from 'vitest';
import { inputOf, type RequestKind, writeRequest } from '../../../lab/bench/requests.ts';
import { bundle } from '../bundle.mts';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { createPhone } from './phone.ts';

const login = { code: 'c', rawData: 'r', signature: 's', encryptedData: 'e', iv: 'i' };
const me = { procedure: 'user.me', form: 'phone', calls: 1 } as const;

let backend: Backend;
let sent: ReturnType<typeof createPhone>['sent'];

beforeAll(async () => {
  const [code, started] = await Promise.all([bundle(), startBackend()]);
  backend = started;
  const phone = createPhone({ backend, code });
  const { api, session } = phone.launch();
  await session.ensure();
  await session.login(phone.profile());
  await api.user.me.query();
  await Promise.all(Array.from({ length: 5 }, () => api.user.me.query()));
  phone.close();
  ({ sent } = phone);
});
afterAll(() => backend.close());

it.each<[string, number, RequestKind]>([
  ['auth.checkUser', 0, { procedure: 'auth.checkUser', form: 'phone', calls: 1 }],
  ['auth.login', 1, { procedure: 'auth.login', form: 'phone', calls: 1 }],
  ['user.me', 2, me],
  ['five user.me', 3, { ...me, calls: 5 }],
])('the bench sends %s as the client does', (_, index, kind) => {
  const fromPhone = sent[index];
  const inputs = kind.procedure === 'user.me' ? {} : { inputs: [inputOf(kind, login)] };
  const token = fromPhone?.header['authorization']?.replace('Bearer ', '');
  const { line, headers, body } = read(writeRequest(kind, { ...inputs, ...(token !== undefined && { token }) }));
  expect(line).toBe(`POST ${fromPhone?.url.replace(backend.url, '')} HTTP/1.1`);
  expect(headers).toMatchObject(fromPhone?.header ?? {});
  expect(shape(body)).toEqual(shape(fromPhone?.body));
});

it('the bench sends a token with a call of a signed-in user alone', () => {
  expect(sent.map(({ header }) => 'authorization' in header)).toEqual([false, false, true, true]);
});

function read(request: string) {
  const [head = '', body = ''] = request.split('\r\n\r\n');
  const [line, ...rest] = head.split('\r\n');
  return { line, headers: Object.fromEntries(rest.map((text) => text.split(': '))) as object, body: JSON.parse(body) };
}

/** The names of the fields, in the order in which they are sent. */
function shape(body: unknown): string {
  return JSON.stringify(body, (_, value: unknown) => (typeof value === 'string' ? '' : value));
}
