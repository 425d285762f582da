import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@libsql/client';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encryptBytes, encryptPush, sealPush, signPush } from '../../packages/standin/src/push.ts';
import { devApp, devPush } from '../../packages/standin/src/server.ts';
import type { Push } from '../../src/http/wechat-push.ts';
import { isPushSignature, openPush } from '../../src/wechat/push-crypto.ts';
import { type Backend, failureOf, loginInputOf, startBackend } from '../support/backend.ts';
import { databases } from '../support/databases.ts';

const otherApp = { appId: 'wxfedcba9876543210', secret: 'fedcba9876543210' };
const other = { token: 'othertoken', aesKey: 'Zyxwvutsrqponmlkjihgfedcba9876543210ABCDEFG' };
const picture = await sharp({ create: { width: 30, height: 20, channels: 3, background: '#f00' } })
  .jpeg()
  .toBuffer();

test('a push signature is that of WeChat’s own vector, and no other is accepted', () => {
  const signature = 'f464b24fc39322e44b38aa78f5edd27bd1441696';
  expect(isPushSignature(signature, 'AAAAA', ['1714036504', '1514711492'])).toBe(true);
  expect(isPushSignature(signature, 'AAAAB', ['1714036504', '1514711492'])).toBe(false);
  expect(isPushSignature(signature.toUpperCase(), 'AAAAA', ['1714036504', '1514711492'])).toBe(false);
});

test('padding of 1 to 32 bytes is taken, and every other plaintext refused', () => {
  const key = Buffer.from(`${devPush.aesKey}=`, 'base64');
  const paddings = new Set<number>();
  for (let length = 0; length < 64; length++) {
    const encrypted = encryptPush('x'.repeat(length), devApp.appId, devPush.aesKey);
    expect(openPush(encrypted, key)).toEqual({ text: 'x'.repeat(length), appId: devApp.appId });
    paddings.add(32 - ((20 + length + devApp.appId.length) % 32));
  }
  expect(paddings.size).toBe(32);
  const content = (length: number) =>
    Buffer.concat([Buffer.alloc(16, 1), Buffer.from([0, 0, 0, length]), Buffer.from('hello')]);
  const padded = (bytes: Buffer, padding: number, by = padding) => Buffer.concat([bytes, Buffer.alloc(padding, by)]);
  expect(openPush(encryptBytes(padded(content(3), 7), devPush.aesKey), key)).toEqual({ text: 'hel', appId: 'lo' });
  const wrong = [
    padded(content(6), 7),
    Buffer.concat([Buffer.alloc(16, 1), Buffer.alloc(4, 0xff), padded(Buffer.alloc(5), 7)]),
    padded(content(3), 7, 0),
    padded(content(3), 7, 8),
    padded(content(3), 39, 39),
    padded(Buffer.alloc(0), 32),
    padded(Buffer.alloc(16), 16),
    Buffer.alloc(32, 33),
    padded(Buffer.concat([content(1), Buffer.from([0xff])]).fill(0xff, 20), 6),
  ];
  for (const bytes of wrong) expect(openPush(encryptBytes(bytes, devPush.aesKey), key)).toBeNull();
  for (const text of ['', 'AAAA', '!', 'A'.repeat(43)]) expect(openPush(text, key)).toBeNull();
});

describe.each(databases)("WeChat's push on $name", ({ name, createUrl }) => {
  let backend: Backend;
  let databaseUrl: string;
  let users = 0;
  let given: Push[] = [];
  let onPush: (push: Push) => Promise<void> | void = () => {};
  let deleted: string[] = [];
  beforeAll(async () => {
    databaseUrl = await createUrl();
    const pushes = [
      `${devApp.appId}:${devPush.token}:${devPush.aesKey}`,
      `${otherApp.appId}:${other.token}:${other.aesKey}`,
    ];
    backend = await startBackend({
      databaseUrl,
      standin: { apps: [devApp, otherApp] },
      env: {
        WX_APPS: `${otherApp.appId}:${otherApp.secret}`,
        WX_PUSH: pushes.join(','),
        DATABASE_TIMEOUT_MS: '1000',
      },
      onPush: (push) => onPush(push),
      onUserDeleted: (user) => void deleted.push(user.openId),
    });
  });
  beforeEach(() => {
    given = [];
    deleted = [];
    onPush = (push) => void given.push(push);
  });
  afterAll(() => backend.close());

  /** A user with everything that a push may clear. */
  async function signedUp(appId = devApp.appId) {
    const user = `pushed${++users}`;
    const { standin } = backend;
    const { code } = standin.phone.login({ user, appId });
    const { token } = await backend.client().auth.checkUser.mutate({ code, appId });
    const client = backend.client(token);
    await client.user.updateProfile.mutate({ nickName: '果壳', avatar: picture.toString('base64') });
    await client.user.bindPhone.mutate({ code: standin.phone.phoneNumber({ user, appId }).code });
    const { openid } = standin.person(user, appId);
    return { user, openid, client, me: () => client.user.me.query(), row: () => backend.store.findUser(openid) };
  }
  const push = (input: Parameters<Backend['standin']['phone']['push']>[0]) =>
    backend.standin.phone.push({ url: backend.url, ...input });
  const success = { status: 200, answer: 'success' };

  interface Forged {
    query?: Record<string, string>;
    body?: string;
    path?: string;
  }
  const post = async ({ query = {}, body = '', path = `/wechat/push/${devApp.appId}` }: Forged) => {
    const response = await fetch(`${backend.url}${path}?${new URLSearchParams(query).toString()}`, {
      method: 'POST',
      body,
    });
    return { status: response.status, answer: await response.text() };
  };
  const messageOf = (openid: string, fields: Record<string, unknown> = {}) => ({
    ToUserName: 'gh_1',
    FromUserName: 'oWeChat',
    CreateTime: Math.floor(backend.clock.now / 1000),
    MsgType: 'event',
    Event: 'user_authorization_cancellation',
    OpenID: openid,
    AppID: devApp.appId,
    ...fields,
  });
  const sealed = (
    openid: string,
    { fields = {}, appId = devApp.appId, secrets = devPush, ageSeconds = 0, format = 'json' as const } = {},
  ) =>
    sealPush(
      {
        fields: messageOf(openid, fields),
        format,
        appId,
        timestampSeconds: Math.floor(backend.clock.now / 1000) - ageSeconds,
      },
      secrets,
    );
  /** A push of any bytes, signed as WeChat signs. */
  const signed = (encrypted: string, more: { body?: string } = {}) => {
    const timestamp = String(Math.floor(backend.clock.now / 1000));
    const msg_signature = signPush([devPush.token, timestamp, '7', encrypted]);
    return { query: { timestamp, nonce: '7', msg_signature }, body: JSON.stringify({ Encrypt: encrypted }), ...more };
  };

  test('WeChat’s check of the URL is answered with its own text, at any time', async () => {
    const check = async (query: Record<string, string>, appId = devApp.appId) => {
      const response = await fetch(`${backend.url}/wechat/push/${appId}?${new URLSearchParams(query).toString()}`);
      return `${response.status} ${await response.text()}`;
    };
    const [timestamp, nonce, echostr] = ['1714036504', '1514711492', '4375120948345356249'];
    const signature = signPush([devPush.token, timestamp, nonce]);
    expect(await check({ signature, timestamp, nonce, echostr })).toBe(`200 ${echostr}`);
    for (const wrong of [
      { signature: signPush([timestamp, nonce]) },
      { signature: '' },
      { nonce: '1' },
      { timestamp: 'x' },
      { echostr: '' },
    ]) {
      expect(await check({ signature, timestamp, nonce, echostr, ...wrong })).toBe('403 {"status":"refused"}');
    }
    expect(await check({ signature, timestamp, nonce, echostr }, otherApp.appId)).toMatch(/^403 /);
    expect(await check({ signature, timestamp, nonce, echostr }, 'wxnobodys')).toMatch(/^403 /);
  });

  test.each(['json', 'xml'] as const)('a revocation clears what it names and nothing else (%s)', async (format) => {
    const full = { nickName: '果壳', hasProfile: true, hasPhone: true };
    const cases = [
      ['6', { nickName: null, avatarUrl: null, hasPhone: true }],
      ['8', { nickName: '果壳', hasPhone: false }],
      ['19', { nickName: null, hasPhone: true }],
      ['20', { nickName: '果壳', avatarUrl: null, hasPhone: true }],
      ['19,8', { nickName: null, hasPhone: false }],
    ] as const;
    for (const [RevokeInfo, left] of cases) {
      const { user, me } = await signedUp();
      expect(await me()).toMatchObject(full);
      expect(await push({ user, event: 'user_authorization_revoke', fields: { RevokeInfo }, format })).toEqual(success);
      expect([RevokeInfo, await me()]).toMatchObject([RevokeInfo, left]);
    }
    expect(given).toEqual([]);
  });

  test.each(['json', 'xml'] as const)('a user with risky data keeps the phone number only (%s)', async (format) => {
    const { user, me } = await signedUp();
    expect(await push({ user, event: 'user_info_modified', format })).toEqual(success);
    expect(await me()).toMatchObject({ nickName: null, avatarUrl: null, hasPhone: true });
  });

  test.each(['json', 'xml'] as const)(
    'a user who deregistered is deleted, and every token with them (%s)',
    async (format) => {
      const { user, openid, me, row } = await signedUp();
      expect(await push({ user, event: 'user_authorization_cancellation', format })).toEqual(success);
      expect(await row()).toBeNull();
      expect(deleted).toEqual([openid]);
      expect(await failureOf(me())).toMatchObject({ reason: 'SESSION_INVALID' });
    },
  );

  test('a name that begins with a blank, as in WeChat’s example, and the Encrypt of 兼容模式 beside the clear text are taken', async () => {
    const { openid, row } = await signedUp();
    const { OpenID, AppID, ...rest } = messageOf(openid);
    const encrypted = encryptPush(
      JSON.stringify({ ...rest, ' OpenID': OpenID, ' AppID': AppID }),
      devApp.appId,
      devPush.aesKey,
    );
    const clear = { ...rest, Event: 'something else', Encrypt: encrypted };
    expect(await post(signed(encrypted, { body: JSON.stringify(clear) }))).toEqual(success);
    expect(await row()).toBeNull();
  });

  test('XML with a document type or a comment is not read, even from WeChat', async () => {
    const { openid, row } = await signedUp();
    const xml = (openId: string) =>
      `<xml>${Object.entries(messageOf(openId))
        .map(([field, value]) => `<${field}>${value}</${field}>`)
        .join('')}</xml>`;
    for (const text of [
      `<!DOCTYPE xml [<!ENTITY e "${openid}">]>${xml('&e;')}`,
      `<!DOCTYPE xml>${xml(openid)}`,
      `<!-- -->${xml(openid)}`,
    ]) {
      expect(await post(signed(encryptPush(text, devApp.appId, devPush.aesKey)))).toEqual(success);
    }
    expect([given, await row()]).toMatchObject([[], { openId: openid }]);
    expect(await post(signed(encryptPush(xml(openid), devApp.appId, devPush.aesKey)))).toEqual(success);
    expect(await row()).toBeNull();
  });

  test('each app has its own secrets, and erases only its own users', async () => {
    const ours = await signedUp();
    const theirs = await signedUp(otherApp.appId);
    const path = `/wechat/push/${otherApp.appId}`;
    // Theirs, with secrets of theirs and an openid of ours, by every app id that the message may name.
    for (const AppID of [devApp.appId, otherApp.appId]) {
      const forged = sealed(ours.openid, { fields: { AppID }, appId: otherApp.appId, secrets: other });
      expect(await post({ ...forged, path })).toEqual(success);
    }
    expect(await ours.row()).not.toBeNull();
    // And ours, in our name, with their app id in the event: it is of another app, whatever the openid.
    expect(await post(sealed(ours.openid, { fields: { AppID: otherApp.appId } }))).toEqual(success);
    expect(await ours.row()).not.toBeNull();
    const good = sealed(theirs.openid, { fields: { AppID: otherApp.appId }, appId: otherApp.appId, secrets: other });
    expect((await post(good)).status).toBe(403);
    expect(await theirs.row()).not.toBeNull();
    expect(await post({ ...good, path })).toEqual(success);
    expect(await theirs.row()).toBeNull();
  });

  test('a push that does not verify is refused, and does nothing', async () => {
    const { openid, row } = await signedUp();
    const before = await row();
    const good = sealed(openid);
    const encrypted = String((JSON.parse(good.body) as Record<string, unknown>).Encrypt);
    const clear = JSON.stringify(messageOf(openid));
    const flipped = `${encrypted.startsWith('A') ? 'B' : 'A'}${encrypted.slice(1)}`;
    const { msg_signature: _, ...unsigned } = good.query;
    const forged: Record<string, Forged> = {
      'in clear': { query: good.query, body: clear },
      'in clear, as XML': { query: good.query, body: `<xml><OpenID>${openid}</OpenID></xml>` },
      'without a signature': { query: unsigned, body: good.body },
      'with the signature of the time alone': {
        query: { ...good.query, msg_signature: good.query['signature'] ?? '' },
        body: good.body,
      },
      'with another nonce': { query: { ...good.query, nonce: '1' }, body: good.body },
      'of another token': sealed(openid, { secrets: { ...devPush, token: 'guessed' } }),
      'of another key': sealed(openid, { secrets: { ...devPush, aesKey: other.aesKey } }),
      'of another app inside': sealed(openid, { appId: otherApp.appId }),
      'with another Encrypt': { query: good.query, body: JSON.stringify({ Encrypt: flipped }) },
      'too old': sealed(openid, { ageSeconds: 601 }),
      'too far ahead': sealed(openid, { ageSeconds: -601 }),
      cut: signed(encrypted.slice(0, -4)),
      'cut to a block': signed(Buffer.from(encrypted, 'base64').subarray(0, 32).toString('base64')),
      'not base64': signed('*'),
      empty: { query: good.query, body: '' },
      'no JSON': { query: good.query, body: '{' },
      'a list': { query: good.query, body: '[]' },
      'an Encrypt that is not text': { query: good.query, body: '{"Encrypt":{}}' },
      'an entity': {
        query: good.query,
        body: `<!DOCTYPE xml [<!ENTITY e "${encrypted}">]><xml><Encrypt>&e;</Encrypt></xml>`,
      },
      'of thousands of elements': {
        query: good.query,
        body: `<xml>${'<a>1</a>'.repeat(8000)}<Encrypt>AAAA</Encrypt></xml>`,
      },
      'nested deep': { query: good.query, body: '<xml>'.repeat(9000) },
      'of an app that is not ours': { ...good, path: '/wechat/push/wxnobodys' },
    };
    for (const [what, request] of Object.entries(forged)) {
      expect([what, await post(request)]).toEqual([what, { status: 403, answer: '{"status":"refused"}' }]);
    }
    const twice = new URLSearchParams([...Object.entries(good.query), ['nonce', good.query['nonce'] ?? '']]);
    const repeated = await fetch(`${backend.url}/wechat/push/${devApp.appId}?${twice.toString()}`, {
      method: 'POST',
      body: good.body,
    });
    expect(repeated.status).toBe(403);
    expect((await post({ query: good.query, body: `{"Encrypt":"${'A'.repeat(64 * 1024)}"}` })).status).toBe(413);
    expect(await row()).toEqual(before);
    expect(given).toEqual([]);
    const lines = backend.logged.filter((line) => line.includes('push refused'));
    expect(lines.length).toBeGreaterThan(20);
    for (const secret of [openid, encrypted.slice(0, 20), devPush.token]) expect(lines.join()).not.toContain(secret);
  });

  test('a replayed push does not delete a user who came back, nor clear what was entered since', async () => {
    const { user, openid } = await signedUp();
    const push = sealed(openid);
    expect(await post(push)).toEqual(success);
    backend.clock.now += 5 * 60_000;
    await backend.client().auth.login.mutate(loginInputOf(backend, user, { nickName: 'Back' }));
    expect(await post(push)).toEqual(success);
    // An old event of another text, which this process has not seen yet, as another instance would meet the same one.
    expect(await post(sealed(openid, { fields: { CreateTime: Math.floor(backend.clock.now / 1000) - 299 } }))).toEqual(
      success,
    );
    expect(await backend.store.findUser(openid)).toMatchObject({ nickName: 'Back' });

    const cleared = await signedUp();
    const modified = sealed(cleared.openid, { fields: { Event: 'user_info_modified' } });
    expect(await post(modified)).toEqual(success);
    await cleared.client.user.updateProfile.mutate({ nickName: 'New' });
    expect(await post(modified)).toEqual(success);
    expect(await cleared.me()).toMatchObject({ nickName: 'New' });
  });

  // The signature covers its parts sorted and joined: it stays good when time and nonce change places.
  test('a push of long ago does nothing when its nonce passes for the time of now', async () => {
    const { openid, row } = await signedUp();
    const weekMs = 7 * 24 * 60 * 60_000;
    const sentAt = backend.clock.now;
    const fields = { Event: 'user_info_modified', CreateTime: Math.floor(sentAt / 1000) };
    const replayed = async (replayedAt: number) => {
      const encrypted = encryptPush(JSON.stringify(messageOf(openid, fields)), devApp.appId, devPush.aesKey);
      const [timestamp, nonce] = [sentAt, replayedAt].map((at) => String(Math.floor(at / 1000)));
      const msg_signature = signPush([devPush.token, timestamp ?? '', nonce ?? '', encrypted]);
      backend.clock.now = replayedAt;
      const query = { timestamp: nonce ?? '', nonce: timestamp ?? '', msg_signature };
      return await post({ query, body: JSON.stringify({ Encrypt: encrypted }) });
    };
    expect(await replayed(sentAt + weekMs + 1000)).toEqual(success);
    expect(await row()).toMatchObject({ nickName: '果壳' });
    // WeChat may take its time to tell.
    expect(await replayed(sentAt + weekMs)).toEqual(success);
    expect(await row()).toMatchObject({ nickName: null });
  });

  test('pushes out of order, of unknown users, or repeated twenty times at once have each effect once', async () => {
    const { openid, row } = await signedUp();
    const deletion = sealed(openid);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(deletion)));
    expect(answers).toEqual(answers.map(() => success));
    expect([await row(), deleted]).toEqual([null, [openid]]);
    const late = sealed(openid, { fields: { Event: 'user_authorization_revoke', RevokeInfo: 6 } });
    expect(await post(late)).toEqual(success);
    expect(await post(sealed('oNobodyOfThisName0000000000'))).toEqual(success);
  });

  test('any other push is handed to the owner, with WeChat’s own names, once; and once more when the owner fails', async () => {
    const { user, openid, row } = await signedUp();
    expect(await push({ user, event: 'subscribe_msg_popup_event', fields: { Status: 'accept' } })).toEqual(success);
    expect(given).toMatchObject([
      { appId: devApp.appId, fields: { Event: 'subscribe_msg_popup_event', Status: 'accept' } },
    ]);
    // What XML holds is text, as it stands there.
    await push({ user, event: 'mine', fields: { Code: '007' }, format: 'xml' });
    expect(given.pop()).toMatchObject({ fields: { Code: '007' } });
    // 2 is an address: nothing of ours, and 8 beside it is.
    await push({ user, event: 'user_authorization_revoke', fields: { RevokeInfo: '2' } });
    await push({ user, event: 'user_authorization_revoke', fields: { RevokeInfo: '2 8' }, format: 'xml' });
    expect(given.map(({ fields }) => fields['RevokeInfo'])).toEqual([undefined, '2', '2 8']);
    expect(await row()).toMatchObject({ nickName: '果壳', phoneNumber: null });
    // An event of a user without a valid openid, and a message that is not an event, have no effect of ours.
    await post(sealed('short'));
    await post(sealed(openid, { fields: { MsgType: 'text', Content: '__proto__' } }));
    expect(given).toHaveLength(5);
    expect(await row()).not.toBeNull();

    let failures = 1;
    onPush = (push) => {
      given.push(push);
      if (failures-- > 0) throw new Error('the owner’s own trouble');
    };
    const again = sealed(openid, { fields: { Event: 'mine' } });
    expect(await post(again)).toEqual({ status: 500, answer: '{"status":"failed"}' });
    expect(await post(again)).toEqual(success);
    expect(await post(again)).toEqual(success);
    expect(given).toHaveLength(7);
  });

  test.runIf(name === 'SQLite')(
    'a push while the database is away is answered with 503, and the push sent again does its work',
    async () => {
      const { openid, row } = await signedUp();
      const deletion = sealed(openid);
      const rival = createClient({ url: databaseUrl });
      const lock = await rival.transaction('write');
      expect((await post(deletion)).status).toBe(503);
      await sleep(1000);
      await lock.rollback();
      rival.close();
      expect(await post(deletion)).toEqual(success);
      expect(await row()).toBeNull();
    },
  );

  test.runIf(name === 'SQLite')('the path of pushes does not exist without WX_PUSH', async () => {
    const plain = await startBackend();
    expect((await fetch(`${plain.url}/wechat/push/${devApp.appId}`, { method: 'POST', body: '{}' })).status).toBe(404);
    await plain.close();
  });
});
