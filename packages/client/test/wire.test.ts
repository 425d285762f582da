import { once } from 'node:events';
import { createServer } from 'node:http';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { devApp } from '../../standin/src/server.ts';
import { type Backend, startBackend } from '../../../test/support/backend.ts';
import { clientCode } from './code.ts';
import { createPhone } from './phone.ts';

let code: string;
let backend: Backend;
let phone: ReturnType<typeof createPhone>;

beforeAll(async () => {
  [code, backend] = await Promise.all([clientCode(), startBackend()]);
});
afterAll(() => backend.close());
beforeEach(() => {
  phone = createPhone({ backend, code });
});
afterEach(() => phone.close());

it('URLs hold the names of procedures and nothing else, queries included', async () => {
  const { api, session } = phone.launch();
  await session.ensure();
  await session.login(phone.profile());
  await Promise.all([api.user.me.query(), api.user.me.query()]);
  await api.auth.logout.mutate();
  expect(phone.sent.map(({ url }) => url.replace(backend.url, ''))).toEqual([
    '/trpc/auth.checkUser?batch=1',
    '/trpc/auth.login?batch=1',
    '/trpc/user.me,user.me?batch=1',
    '/trpc/auth.logout?batch=1',
  ]);
});

it('a token goes with every call but a login', async () => {
  const { api, session } = phone.launch();
  const { token } = await session.ensure();
  await Promise.all([session.login(phone.profile()), api.auth.checkUser.mutate({ code: 'x' }).catch(() => undefined)]);
  const { token: next } = session.peek() ?? {};
  await api.user.me.query();
  const sentTokens = phone.sent.map(({ paths, header }) => [paths.join(), header.authorization]);
  expect(sentTokens.filter(([, authorization]) => authorization)).toEqual([['user.me', `Bearer ${next ?? ''}`]]);
  expect(token).not.toBe(next);
});

it('an avatar that the backend keeps is found there, and one of WeChat’s where it is', async () => {
  const { api, session, avatarUrlOf } = phone.launch();
  const { user } = await session.login(phone.profile());
  expect(avatarUrlOf(user)).toMatch(/^https:\/\/thirdwx\.qlogo\.cn\//);
  expect(avatarUrlOf({ ...user, avatarUrl: null })).toBeNull();
  const pixel = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
    .toFormat('png')
    .toBuffer();
  const chosen = await api.user.updateProfile.mutate({ avatar: pixel.toString('base64') });
  const answer = await fetch(avatarUrlOf(chosen) ?? '');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/webp']);
});

it('batches are split to the ten calls that the server takes', async () => {
  const { api, session } = phone.launch();
  await session.ensure();
  expect(await Promise.all(Array.from({ length: 23 }, () => api.user.me.query()))).toHaveLength(23);
  expect(phone.sent.slice(1).map(({ paths }) => paths.length)).toEqual([10, 10, 3]);
});

it('the app id of WeChat’s own account goes with each login', async () => {
  const { session } = phone.launch();
  await session.ensure();
  await session.login(phone.profile());
  const { appId } = devApp;
  expect(phone.sent.map(({ body }) => body[0])).toMatchObject([{ appId }, { appId }]);
  expect(phone.launch({ appId: 'wx0000000000000000' }).session.peek()).toBeUndefined();
});

it('a mini program that is not the backend’s first logs its users in by itself', async () => {
  const shop = { appId: 'wxaaaaaaaaaaaaaaaa', secret: 'a'.repeat(32) };
  const both = await startBackend({
    env: { WX_APPS: `${shop.appId}:${shop.secret}` },
    standin: { apps: [devApp, shop] },
  });
  const shopper = createPhone({ backend: both, appId: shop.appId, code });
  try {
    const { session } = shopper.launch();
    await session.ensure();
    expect(await session.login(shopper.profile())).toMatchObject({ hasProfile: true });
    const row = await both.store.findUser(both.standin.person('xiaoming', shop.appId).openid);
    expect(row).toMatchObject({ appId: shop.appId });
  } finally {
    shopper.close();
    await both.close();
  }
});

it.each<[string, (typeof phone)['accountInfo']]>([
  ['has none yet', undefined],
  ['fails', () => fail()],
  ['gives an empty answer', () => Object(undefined) as { miniProgram: { appId: string } }],
  ['names the tourist’s app, which no backend can have', () => ({ miniProgram: { appId: 'touristappid' } })],
])('no app id goes where WeChat %s: the backend’s first app is meant', async (_, accountInfo) => {
  phone.accountInfo = accountInfo;
  await phone.launch().session.ensure();
  expect(phone.sent[0]?.body[0]).toEqual({ code: expect.any(String) as string });
  await phone.launch({ appId: devApp.appId }).session.ensure();
  expect(phone.sent[1]?.body[0]).toMatchObject({ appId: devApp.appId });
});

function fail(): never {
  throw new Error('getAccountInfoSync:fail');
}

it('a profile is sent without the other fields of wx.getUserProfile', async () => {
  const { session } = phone.launch();
  await session.login(phone.profile());
  const names = Object.keys(Object(phone.sent[0]?.body[0]) as object).toSorted();
  expect(names).toEqual(['appId', 'code', 'encryptedData', 'iv', 'rawData', 'signature']);
});

it('a procedure of an owner’s, which may be public, does not wait for a login', async () => {
  const server = createServer((_, response) => response.end('[{"result":{"data":["milk"]}}]')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  interface Own {
    _def: { record: { todo: { _def: { type: 'query'; $types: { input: void; output: string[] } } } } };
  }
  const { api } = phone.launch<Own>({ baseUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` });
  expect(await api.todo.query()).toEqual(['milk']);
  expect(phone.counts.login).toBe(0);
  server.close();
});
