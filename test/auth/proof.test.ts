import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proveProfile } from '../../src/auth/proof.ts';
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
const prove = ({ rawData, ...parts }: Parts, sessionKey: string | null, toBe: typeof expected) =>
  proveProfile({ rawData: readRawData(rawData), ...parts }, sessionKey, toBe);

/** What the caller of a refused proof sees: it must be the same for every refusal. */
function refusalOf(prove: () => unknown): { code: string; message: string; reason: string } | null {
  try {
    prove();
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, reason } = error;
    return { code, message, reason };
  }
}
const refused = { code: 'UNAUTHORIZED', message: 'The profile data could not be verified', reason: 'PROFILE_REJECTED' };

/** Seals as WeChat does, so that a test can choose each part. */
function sealedBy(sessionKey: string, raw: string, plain: string): Parts {
  const iv = Buffer.alloc(16, 7);
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

describe('the vectors', () => {
  test.each(vectors.good)('$name is accepted', (vector) => {
    const profile = prove(vector, vector.sessionKey, expectedOf(vector));
    expect(profile).toMatchObject({ nickName: JSON.parse(vector.rawData).nickName });
  });

  test.each(vectors.bad)('$name: $expect', (vector) => {
    const serverKey = vector.newSessionKey ?? vector.sessionKey;
    expect(refusalOf(() => prove(vector, serverKey, expectedOf(vector)))).toEqual(refused);
    if (vector.newSessionKey) {
      expect(prove(vector, vector.sessionKey, expectedOf(vector))).toMatchObject({ nickName: 'Band' });
    }
  });
});

describe('the proof', () => {
  test('any flipped bit of any part is refused, with one answer', () => {
    const parts = ['rawData', 'signature', 'encryptedData', 'iv'] as const;
    for (const part of parts) {
      const bytes = Buffer.from(classic[part]);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = Buffer.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const changed = { ...classic, [part]: copy.toString() };
        expect(
          refusalOf(() => prove(changed, key, expected)),
          `${part}, bit ${bit}`,
        ).toEqual(refused);
      }
    }
  });

  test('any flipped bit of the bytes under the base64 is refused: the first block of the text, which the iv rewrites, too', () => {
    for (const part of ['encryptedData', 'iv'] as const) {
      const bytes = Buffer.from(classic[part], 'base64');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = Buffer.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const changed = { ...classic, [part]: copy.toString('base64') };
        expect(
          refusalOf(() => prove(changed, key, expected)),
          `${part}, bit ${bit}`,
        ).toEqual(refused);
      }
    }
  });

  test('another key, or none, is refused', () => {
    expect(refusalOf(() => prove(classic, null, expected))).toEqual(refused);
    expect(refusalOf(() => prove(classic, 'AAAAAAAAAAAAAAAAAAAAAA==', expected))).toEqual(refused);
  });

  test('no input makes it throw anything else', () => {
    const any = fc.string({ unit: 'binary' });
    const json = fc.json().map((text) => text);
    const sealed = fc.record({
      rawData: fc.oneof(any, json),
      signature: any,
      encryptedData: fc.oneof(any, fc.base64String()),
      iv: any,
    });
    fc.assert(
      fc.property(sealed, fc.oneof(any, fc.constant(key)), (data, someKey) => {
        expect(refusalOf(() => prove(data, someKey, expected))).toEqual(refused);
      }),
    );
  });

  test('properly signed and sealed, but no profile: refused with the same answer', () => {
    const texts = ['', 'null', '[]', '"x"', '1', '{', '{}', '{"nickName":1}', '{"gender":3}', '{"watermark":{}}'];
    for (const raw of texts) {
      for (const plain of texts) {
        const data = sealedBy(key, raw, plain);
        expect(
          refusalOf(() => prove(data, key, expected)),
          `${raw} ${plain}`,
        ).toEqual(refused);
      }
    }
    fc.assert(
      fc.property(fc.json(), fc.json(), (raw, plain) => {
        expect(refusalOf(() => prove(sealedBy(key, raw, plain), key, expected))).toEqual(refused);
      }),
    );
  });

  test('the watermark is believed from 600 s back to 300 s ahead, to the second', () => {
    const aged = (seconds: number) => () => prove(classic, key, { ...expected, now: now + seconds * 1000 });
    for (const seconds of [-300, 0, 600, 600.999]) expect(refusalOf(aged(seconds)), `${seconds} s`).toBeNull();
    for (const seconds of [-301, 601, 86_400]) expect(refusalOf(aged(seconds)), `${seconds} s`).toEqual(refused);
  });

  test('a watermark of the wrong type is refused', () => {
    for (const odd of [
      undefined,
      null,
      {},
      { appid: classic.appId },
      { ...watermark, timestamp: String(vectors.clock) },
    ]) {
      const data = sealedFields({ nickName: 'Band' }, { watermark: odd });
      expect(refusalOf(() => prove(data, key, expected))).toEqual(refused);
    }
  });

  test('an openid inside must be the one that WeChat gave for the code', () => {
    const withOpenId = (openId: unknown) => sealedFields({ nickName: 'Band' }, { watermark, openId });
    expect(refusalOf(() => prove(withOpenId(classic.openid), key, expected))).toBeNull();
    for (const odd of [`${classic.openid}x`, classic.openid.toLowerCase(), '', null, 1, [classic.openid]]) {
      expect(refusalOf(() => prove(withOpenId(odd), key, expected))).toEqual(refused);
    }
  });

  test('every decrypted field must stand in rawData with the same value, and every profile field the other way', () => {
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
      expect(
        refusalOf(() => prove(data, key, expected)),
        JSON.stringify([raw, plain]),
      ).toEqual(refused);
    }
    const sameKeys = { nickName: 'Band', extra: { a: [1] } };
    expect(refusalOf(() => prove(sealedFields(sameKeys), key, expected))).toBeNull();
  });

  test('names that are keys of every object change nothing', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const raw = `{"nickName":"Band"}`;
      const plain = `{"nickName":"Band","${name}":{"x":1},"watermark":${JSON.stringify(watermark)}}`;
      expect(
        refusalOf(() => prove(sealedBy(key, raw, plain), key, expected)),
        name,
      ).toEqual(refused);
    }
  });
});
