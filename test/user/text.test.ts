import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOwnName, noProfile, ownProfile, profileFields, readRawData, text } from '../../src/user/profile.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 80 });
const odd = fc.constantFrom('\u0000', '\u001F', '\u007F', '\u0085', '\uD83D', '\uDE00', '\uD83Dx');
/** The longest that each field may be, in code points. */
const widths = { nickName: 1024, avatarUrl: 2048, language: 64, city: 128, province: 128, country: 128 } as const;
const read = (fields: object) => readRawData(JSON.stringify(fields));

describe('text', () => {
  test('a text is taken as it is or refused, and never changed', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const result = text(40).safeParse(value);
        const isClean =
          Buffer.from(value).toString() === value && !/\p{Cc}/u.test(value) && Array.from(value).length <= 40;
        expect(result.success).toBe(isClean);
        if (result.success) expect(result.data).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  test('a text that passes survives UTF-8, as every database and every phone has it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (value) => {
        if (text(100).safeParse(value).success) expect(Buffer.from(value).toString()).toBe(value);
      }),
    );
  });

  test('a text with a control character or half a surrogate pair anywhere is refused', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme-ascii' }),
        odd,
        fc.string({ unit: 'grapheme-ascii' }),
        (before, bad, after) => {
          expect(text(1000).safeParse(before + bad + after).success).toBe(false);
        },
      ),
    );
  });

  test('a text is measured in code points: an emoji of two UTF-16 units is one', () => {
    for (const unit of ['x', '果', '😀', '𠮷']) {
      expect(text(64).safeParse(unit.repeat(64)).success).toBe(true);
      expect(text(64).safeParse(unit.repeat(65)).success).toBe(false);
    }
  });
});

describe('the profile in rawData', () => {
  test.each(Object.entries(widths))('a %s as long as its column is taken, a longer one is unknown', (field, width) => {
    const long = (characters: number) =>
      field === 'avatarUrl' ? `https://a/${'𠮷'.repeat(characters - 10)}` : '𠮷'.repeat(characters);
    expect(read({ [field]: long(width) }).profile).toEqual({ ...noProfile, [field]: long(width) });
    expect(read({ [field]: long(width + 1) }).profile).toEqual(noProfile);
  });

  test('a profile has the fields that the contract names, null where they are unknown, and no others', () => {
    const nothing = fc.constantFrom(undefined, null, '');
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue()), nothing, (others, empty) => {
        for (const field of profileFields) delete others[field];
        const { profile } = read({ ...others, nickName: 'Band', city: empty, country: empty });
        expect(profile).toEqual({ ...noProfile, nickName: 'Band' });
      }),
    );
  });

  test('a gender is 0, 1 or 2, and nothing that only looks like it', () => {
    for (const gender of [0, 1, 2]) expect(read({ gender }).profile?.gender).toBe(gender);
    for (const gender of [-1, 3, 0.5, '1', true, [1], {}]) expect(read({ gender }).unfit).toEqual(['gender']);
  });

  test('any text can be read without an exception, and only an object is a profile', () => {
    fc.assert(fc.property(fc.oneof(anyText, fc.json()), (raw) => void readRawData(raw)));
    for (const raw of ['', 'null', '[]', '"x"', '1', '{', '[{}]'])
      expect(readRawData(raw)).toEqual({ text: raw, fields: null, profile: null, unfit: [] });
  });
});

describe("a name of one's own", () => {
  test('a name of one’s own is neither one that WeChat gives to all users, nor invisible', () => {
    for (const name of [null, '', ' ', '\u3000', '\u200B', '微信用户', ' 微信用户 '])
      expect(isOwnName(name)).toBe(false);
    for (const name of ['微信', '微信用户1', 'a', '0', '👻']) expect(isOwnName(name)).toBe(true);
  });

  test('a name decides about its profile: without one the profile is not kept, and a grey avatar never is', () => {
    const grey =
      'https://thirdwx.qlogo.cn/mmopen/vi_32/POgEwh4mIHO4nibH0KlMECNjjGxQUq24ZEaGT4poC6icRiccVGKSyXwibcPq4BWmiaIGuG1icwxaQX6grC9VemZoJ8rg/132';
    const band = { ...noProfile, nickName: 'Band', avatarUrl: 'https://thirdwx.qlogo.cn/x/132', gender: 1 as const };
    expect(ownProfile(band)).toEqual(band);
    expect(ownProfile({ ...band, nickName: '微信用户' })).toEqual(noProfile);
    expect(ownProfile({ ...band, avatarUrl: grey })).toEqual({ ...band, avatarUrl: null });
  });
});
