import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Backend, failureOf, startBackend } from '../support/backend.ts';

const picture = await sharp({ create: { width: 30, height: 20, channels: 3, background: '#f00' } })
  .png()
  .toBuffer();
const avatar = picture.toString('base64');
const [textPath, picturePath] = ['/wxa/msg_sec_check', '/wxa/img_sec_check'];

describe('the content check', () => {
  let backend: Backend;
  let users = 0;
  beforeAll(async () => {
    backend = await startBackend({ env: { WX_CONTENT_CHECK: 'true', WX_TIMEOUT_MS: '2000' } });
  });
  beforeEach(() => backend.standin.phone.reset({ what: 'faults' }));
  afterAll(() => backend.close());

  async function signedUp(on = backend) {
    const user = `checked${++users}`;
    const { token } = await on.client().auth.checkUser.mutate({ code: on.standin.phone.login({ user }).code });
    const client = on.client(token);
    await client.user.updateProfile.mutate({ nickName: 'Before', avatar });
    return { client, row: () => on.store.findUser(on.standin.person(user).openid) };
  }
  const requests = (path: string) => backend.standin.phone.stats().paths[path]?.requests ?? 0;

  test('the content check asks WeChat about a nickname and a picture, and about nothing that is cleared', async () => {
    const before = [requests(textPath), requests(picturePath)];
    const { client } = await signedUp();
    await client.user.updateProfile.mutate({ nickName: null, avatar: null });
    expect([requests(textPath), requests(picturePath)]).toEqual(before.map((count) => count + 1));
  });

  test('risky content is refused, and nothing of the call is stored', async () => {
    const { client, row } = await signedUp();
    const before = await row();
    expect(await failureOf(client.user.updateProfile.mutate({ nickName: '违规', avatar: null }))).toMatchObject({
      reason: 'CONTENT_REJECTED',
      retry: 'never',
      httpStatus: 400,
    });
    backend.standin.phone.fault({ path: picturePath, fault: { kind: 'errcode', errcode: 87014 } });
    expect(await failureOf(client.user.updateProfile.mutate({ nickName: 'After', avatar }))).toMatchObject({
      reason: 'CONTENT_REJECTED',
    });
    expect(await row()).toEqual(before);
  });

  test('content that a person should review is stored, and logged without the text', async () => {
    const { client, row } = await signedUp();
    await client.user.updateProfile.mutate({ nickName: '存疑的名字' });
    expect(await row()).toMatchObject({ nickName: '存疑的名字' });
    expect(backend.logged.filter((line) => line.includes('wants a review'))).toEqual([
      expect.stringMatching(/^(?!.*存疑)[^]*"rid":"[\w-]{36}"/),
    ]);
  });

  test('content is not stored while WeChat is away, slow or answers oddly, and the call may be tried later', async () => {
    const { client, row } = await signedUp();
    const before = await row();
    for (const path of [textPath, picturePath]) {
      for (const fault of [
        { kind: 'errcode', errcode: -1 },
        { kind: 'errcode', errcode: 45011 },
        { kind: 'reset' },
        { kind: 'hang' },
        { kind: 'html' },
      ] as const) {
        backend.standin.phone.fault({ path, times: 3, fault });
        const failure = await failureOf(
          client.user.updateProfile.mutate({ nickName: 'After', ...(path === picturePath && { avatar }) }),
        );
        // Pictures are limited by minute.
        backend.clock.now += 60_000;
        expect([path, fault.kind, failure]).toMatchObject([path, fault.kind, { retry: 'later' }]);
        backend.standin.phone.reset({ what: 'faults' });
      }
    }
    backend.standin.phone.fault({ path: textPath, fault: { kind: 'fields', set: { result: { suggest: 'maybe' } } } });
    expect(await failureOf(client.user.updateProfile.mutate({ nickName: 'After' }))).toMatchObject({
      reason: 'WECHAT_BAD_RESPONSE',
    });
    expect(await row()).toEqual(before);
  });

  test('the content check is off by default: WeChat is not asked', async () => {
    const plain = await startBackend();
    const { client } = await signedUp(plain);
    expect(await client.user.updateProfile.mutate({ nickName: '违规' })).toMatchObject({ nickName: '违规' });
    expect(plain.standin.phone.stats().paths[textPath]).toBeUndefined();
    await plain.close();
  });
});
