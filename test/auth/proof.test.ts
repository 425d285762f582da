import { isUtf8 } from 'node:buffer';
import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prove as proveProfile } from '../../src/auth/proof.ts';
import { AppError } from '../../src/errors.ts';
import { readRawData } from '../../src/user/profile.ts';
import vectors from '../vectors.json' with { type: 'json' };

const now = vectors.clock * 1000;
const expectedOf = ({ appId, openid }: { appId: string; openid: string }) => ({
  appId,
  openId: openid,
  now,
  maxAgeSeconds: 600,
});
const [classic] = vectors.good;
if (!classic) throw new Error('no vectors');
const expected = expectedOf(classic);

/** As it comes from the phone. */
type Parts = Record<'rawData' | 'signature' | 'encryptedData' | 'iv', string>;
const prove = (
  { rawData, ...parts }: Parts,
  fresh: string,
  toBe: typeof expected,
  previous: () => Promise<string | null> = async () => null,
) => proveProfile({ rawData: readRawData(rawData), ...parts }, { fresh, previous }, toBe);

/** What the caller of a refused proof sees: it must be the same for every refusal. */
async function refusalOf(prove: () => Promise<unknown>) {
  try {
    await prove();
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, reason } = error;
    return { code, message, reason };
  }
}
const refused = { code: 'UNAUTHORIZED', message: 'The profile data could not be verified', reason: 'PROFILE_REJECTED' };

/** Seals as WeChat does, so that a test can choose each part. */
function sealedBy(sessionKey: string, raw: string, plain: string, iv = Buffer.alloc(16, 7)): Parts {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), iv);
  return {
    rawData: raw,
    signature: createHash('sha1')
      .update(raw + sessionKey)
      .digest('hex'),
    encryptedData: Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64'),
    iv: iv.toString('base64'),
  };
}
const key = classic.sessionKey;
const watermark = { appid: classic.appId, timestamp: vectors.clock };
const sealedFields = (fields: object, more: object = { watermark }) =>
  sealedBy(key, JSON.stringify(fields), JSON.stringify({ ...fields, ...more }));

/** The head of one sealed text and the tail of another, with a block between them that is noise but reads as text. */
function spliced({ head, cut }: { head: string; cut: number }, { tail, resume }: { tail: string; resume: number }) {
  const seals = (text: string) =>
    Array.from({ length: 400 }, (_, n) => sealedBy(key, '', text, createHash('md5').update(`${n}`).digest()));
  const [cutAt, resumeAt] = [Math.ceil(cut / 16) * 16, Math.ceil(resume / 16) * 16];
  const plain = Buffer.from(tail).subarray(resumeAt, resumeAt + 16);
  for (const one of seals(head)) {
    const before = Buffer.from(one.encryptedData, 'base64').subarray(0, cutAt);
    for (const other of seals(tail)) {
      const bytes = Buffer.from(other.encryptedData, 'base64');
      const noise = plain.map((byte, at) => byte ^ (bytes[resumeAt - 16 + at] ?? 0) ^ (before[cutAt - 16 + at] ?? 0));
      if (!isUtf8(noise) || /["\\]/.test(noise.toString())) continue;
      return { encryptedData: Buffer.concat([before, bytes.subarray(resumeAt)]).toString('base64'), iv: one.iv };
    }
  }
  throw new Error('no pair fits');
}

describe('the vectors', () => {
  test.each(vectors.good)('the vector $name is accepted', async (vector) => {
    const profile = await prove(vector, vector.sessionKey, expectedOf(vector));
    expect(profile).toMatchObject({ nickName: JSON.parse(vector.rawData).nickName });
  });

  test.each(vectors.bad)('the vector $name is refused: $expect', async (vector) => {
    const serverKey = vector.newSessionKey ?? vector.sessionKey;
    expect(await refusalOf(() => prove(vector, serverKey, expectedOf(vector)))).toEqual(refused);
    if (vector.newSessionKey) {
      const { newSessionKey, sessionKey } = vector;
      const profile = await prove(vector, newSessionKey, expectedOf(vector), async () => sessionKey);
      expect(profile).toMatchObject({ nickName: 'Band' });
    }
  });
});

describe('the proof', () => {
  test('a proof with any flipped bit of any part is refused, with one answer, whichever key signed', async () => {
    const parts = ['rawData', 'signature', 'encryptedData', 'iv'] as const;
    const previous = async () => key;
    for (const part of parts) {
      const bytes = Buffer.from(classic[part]);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = Buffer.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const changed = { ...classic, [part]: copy.toString() };
        expect(await refusalOf(() => prove(changed, key, expected)), `${part}, bit ${bit}`).toEqual(refused);
        const byPrevious = () => prove(changed, 'AAAAAAAAAAAAAAAAAAAAAA==', expected, previous);
        expect(await refusalOf(byPrevious), `${part}, bit ${bit}, by the previous key`).toEqual(refused);
      }
    }
  });

  test('a proof with any flipped bit under the base64 is refused, those of the iv, which rewrite the first block of the text, too', async () => {
    for (const part of ['encryptedData', 'iv'] as const) {
      const bytes = Buffer.from(classic[part], 'base64');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = Buffer.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const changed = { ...classic, [part]: copy.toString('base64') };
        expect(await refusalOf(() => prove(changed, key, expected)), `${part}, bit ${bit}`).toEqual(refused);
      }
    }
  });

  test('a proof by the fresh key or the previous one is accepted; by any other key it is refused', async () => {
    const otherKey = 'AAAAAAAAAAAAAAAAAAAAAA==';
    const previous = (sessionKey: string | null) => async () => sessionKey;
    expect(await refusalOf(() => prove(classic, otherKey, expected, previous(key)))).toBeNull();
    expect(await refusalOf(() => prove(classic, otherKey, expected, previous(null)))).toEqual(refused);
    expect(await refusalOf(() => prove(classic, otherKey, expected, previous(otherKey)))).toEqual(refused);
  });

  test('the previous key is asked for only when the fresh one did not sign', async () => {
    const unasked = () => Promise.reject(new Error('asked for'));
    expect(await refusalOf(() => prove(classic, key, expected, unasked))).toBeNull();
    await expect(prove(classic, 'AAAAAAAAAAAAAAAAAAAAAA==', expected, unasked)).rejects.toThrow('asked for');
  });

  test('the proof throws only its own refusal, whatever the input', async () => {
    const any = fc.string({ unit: 'binary' });
    const json = fc.json().map((text) => text);
    const sealed = fc.record({
      rawData: fc.oneof(any, json),
      signature: any,
      encryptedData: fc.oneof(any, fc.base64String()),
      iv: any,
    });
    await fc.assert(
      fc.asyncProperty(sealed, fc.oneof(any, fc.constant(key)), async (data, someKey) => {
        expect(await refusalOf(() => prove(data, someKey, expected))).toEqual(refused);
      }),
    );
  });

  test('a text that is signed and sealed but not a profile is refused with the same answer', async () => {
    const texts = ['', 'null', '[]', '"x"', '1', '{', '{}', '{"nickName":1}', '{"gender":3}', '{"watermark":{}}'];
    for (const raw of texts) {
      for (const plain of texts) {
        const data = sealedBy(key, raw, plain);
        expect(await refusalOf(() => prove(data, key, expected)), `${raw} ${plain}`).toEqual(refused);
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.json(), async (raw, plain) => {
        expect(await refusalOf(() => prove(sealedBy(key, raw, plain), key, expected))).toEqual(refused);
      }),
    );
  });

  test('the watermark is believed from 600 s back to 300 s ahead, to the second', async () => {
    const aged = (seconds: number) => () => prove(classic, key, { ...expected, now: now + seconds * 1000 });
    for (const seconds of [-300, 0, 600, 600.999]) expect(await refusalOf(aged(seconds)), `${seconds} s`).toBeNull();
    for (const seconds of [-301, 601, 86_400]) expect(await refusalOf(aged(seconds)), `${seconds} s`).toEqual(refused);
  });

  // AES-CBC is not authenticated: two texts of one key may be joined, at the price of one block that is noise. The phone
  // knows both texts, so it finds a pair whose noise is harmless without asking the server.
  test.each([
    {
      seam: 'a text that the fresh data says once more',
      ids: {},
      cut: '"avatarUrl":"https://',
      resume: '"nickName":"',
    },
    {
      seam: 'the unionid',
      ids: { unionId: 'o6_bmasdasdsad6_2sgVt7hMZOPfL' },
      cut: '"unionId":"',
      resume: '"unionId":"',
    },
  ])('stale data whose end is cut off for that of fresh data is refused: the seam lies in $seam', async (splice) => {
    const profileOf = (nickName: string) => ({
      nickName,
      city: 'Guangzhou',
      avatarUrl: `https://wx.qlogo.cn/${'0'.repeat(64)}/132`,
    });
    const [stale, fresh] = [
      profileOf('The stale and outworn name of yore'),
      profileOf('The fresh and present name of today'),
    ];
    const textOf = (fields: object, timestamp: number) =>
      JSON.stringify({ ...fields, ...splice.ids, watermark: { timestamp, appid: classic.appId } });
    const [head, tail] = [textOf(stale, vectors.clock - 86_400), textOf(fresh, vectors.clock)];
    const joined = spliced(
      { head, cut: head.indexOf(splice.cut) + splice.cut.length },
      { tail, resume: tail.indexOf(splice.resume) + splice.resume.length },
    );
    const data = { ...sealedBy(key, JSON.stringify(stale), ''), ...joined };
    expect(await refusalOf(() => prove(data, key, expected))).toEqual(refused);
  });

  test('a watermark of the wrong type is refused', async () => {
    for (const odd of [
      undefined,
      null,
      {},
      { appid: classic.appId },
      { ...watermark, timestamp: String(vectors.clock) },
    ]) {
      const data = sealedFields({ nickName: 'Band' }, { watermark: odd });
      expect(await refusalOf(() => prove(data, key, expected))).toEqual(refused);
    }
  });

  test('an openid in the data must be the one that WeChat gave for the code', async () => {
    const withOpenId = (openId: unknown) => sealedFields({ nickName: 'Band' }, { watermark, openId });
    expect(await refusalOf(() => prove(withOpenId(classic.openid), key, expected))).toBeNull();
    for (const odd of [`${classic.openid}x`, classic.openid.toLowerCase(), '', null, 1, [classic.openid]]) {
      expect(await refusalOf(() => prove(withOpenId(odd), key, expected))).toEqual(refused);
    }
  });

  test('every decrypted field must stand in rawData with the same value, and every profile field the other way round', async () => {
    const plainOf = (fields: object) => JSON.stringify({ ...fields, watermark });
    const pairs: [object, object][] = [
      [{ nickName: 'Band' }, { nickName: 'Hand' }],
      [{ nickName: 'Band' }, {}],
      [{}, { nickName: 'Band' }],
      [{ nickName: 'Band' }, { nickName: 'Band', unknown: 1 }],
      [
        { nickName: 'Band', gender: 1 },
        { nickName: 'Band', gender: '1' },
      ],
      [{ nickName: 'Band', city: '' }, { nickName: 'Band' }],
      [
        { nickName: 'Band', extra: { a: 1 } },
        { nickName: 'Band', extra: { a: 2 } },
      ],
    ];
    for (const [raw, plain] of pairs) {
      const data = sealedBy(key, JSON.stringify(raw), plainOf(plain));
      expect(await refusalOf(() => prove(data, key, expected)), JSON.stringify([raw, plain])).toEqual(refused);
    }
    const sameKeys = { nickName: 'Band', extra: { a: [1] } };
    expect(await refusalOf(() => prove(sealedFields(sameKeys), key, expected))).toBeNull();
  });

  test('fields named like the keys of every object change nothing', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const raw = `{"nickName":"Band"}`;
      const plain = `{"nickName":"Band","${name}":{"x":1},"watermark":${JSON.stringify(watermark)}}`;
      expect(await refusalOf(() => prove(sealedBy(key, raw, plain), key, expected)), name).toEqual(refused);
    }
  });
});
