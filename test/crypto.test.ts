import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  base64Of16BytesPattern,
  base64Pattern,
  createToken,
  CryptoError,
  decryptOpenData,
  fingerprint,
  hashToken,
  open,
  seal,
  signatureMatches,
  tokenPattern,
  type Keyring,
} from '../src/crypto.ts';
import vectors from './vectors.json' with { type: 'json' };

const keyring: Keyring = [{ id: 'k1', key: Buffer.alloc(32, 1) }];
const context = ['session_key', 'wx0123456789abcdef', 'oTEST0000000000000000000000A'];
const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64'));

describe('signatures', () => {
  test('WeChat’s published signature is accepted', () => {
    const { rawData, sessionKey, signature } = vectors.officialSignature;
    expect(signatureMatches(rawData, sessionKey, signature)).toBe(true);
  });

  test('the synthetic vectors with a wrong key or signature are refused, and no others', () => {
    const refused = [...vectors.good, ...vectors.bad]
      .filter(({ rawData, sessionKey, signature }) => !signatureMatches(rawData, sessionKey, signature))
      .map(({ name }) => name);
    expect(refused).toEqual(['bad_signature']);
    const rotated = vectors.bad.find(({ name }) => name === 'rotated_key_signature');
    expect(signatureMatches(rotated?.rawData ?? '', rotated?.newSessionKey ?? '', rotated?.signature ?? '')).toBe(
      false,
    );
  });

  test('a signature is refused when any bit of it, of the data or of the key is flipped', () => {
    const { rawData, sessionKey, signature } = vectors.officialSignature;
    const input = Buffer.from(`${rawData}${sessionKey}${signature}`);
    fc.assert(
      fc.property(fc.nat(input.length * 8 - 1), (bit) => {
        const flipped = flip(input, bit).toString('latin1');
        const original = input.toString('latin1');
        const cut = (text: string, from: number, to?: number) => Buffer.from(text.slice(from, to), 'latin1').toString();
        const rawBytes = Buffer.byteLength(rawData);
        const given = [cut(flipped, 0, rawBytes), cut(flipped, rawBytes, -40), cut(flipped, -40)] as const;
        expect(flipped).not.toBe(original);
        expect(signatureMatches(...given)).toBe(false);
      }),
    );
  });

  test('no text makes the check throw, and only lower-case hexadecimal is a signature', () => {
    const { rawData, sessionKey, signature } = vectors.officialSignature;
    for (const odd of [
      signature.toUpperCase(),
      `${signature} `,
      signature.slice(1),
      `${signature}00`,
      '',
      'ß'.repeat(40),
    ]) {
      expect(signatureMatches(rawData, sessionKey, odd)).toBe(false);
    }
    const anyText = fc.string({ unit: 'binary' });
    fc.assert(fc.property(anyText, anyText, anyText, (a, b, c) => !signatureMatches(a, b, c)));
  });
});

describe('open data', () => {
  test('WeChat’s published data decrypts to its text', () => {
    const { encryptedData, sessionKey, iv, plaintext } = vectors.officialDecrypt;
    expect(decryptOpenData(encryptedData, sessionKey, iv)).toBe(plaintext);
  });

  test('every synthetic vector decrypts to its text, and data that is not whole blocks is refused', () => {
    for (const vector of [...vectors.good, ...vectors.bad]) {
      const decrypt = () => decryptOpenData(vector.encryptedData, vector.sessionKey, vector.iv);
      if (vector.name === 'not_block_length') expect(decrypt, vector.name).toThrow(CryptoError);
      else if (vector.plaintext) expect(decrypt(), vector.name).toBe(vector.plaintext);
    }
  });

  test('decryption throws only its own error, which says nothing of the input', () => {
    const base64 = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    const any = fc.oneof(fc.string({ unit: 'binary' }), base64, bytes16);
    fc.assert(
      fc.property(any, any, any, (data, key, iv) => {
        try {
          decryptOpenData(data, key, iv);
        } catch (error) {
          expect(error).toBeInstanceOf(CryptoError);
          expect(String(error)).toBe('CryptoError: decryption failed');
          expect((error as Error).cause).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a wrong key never gives text that looks like the data', () => {
    const { encryptedData, iv, plaintext } = vectors.officialDecrypt;
    fc.assert(
      fc.property(bytes16, (key) => {
        let text = '';
        try {
          text = decryptOpenData(encryptedData, key, iv);
        } catch {
          return;
        }
        expect(text).not.toContain(plaintext.slice(20, 40));
      }),
    );
  });

  test('padding and UTF-8 are checked strictly', () => {
    const key = randomBytes(16);
    const iv = randomBytes(16);
    const encrypt = (bytes: Buffer) => {
      const cipher = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
      return Buffer.concat([cipher.update(bytes), cipher.final()]).toString('base64');
    };
    const decrypt = (bytes: Buffer) => decryptOpenData(encrypt(bytes), key.toString('base64'), iv.toString('base64'));
    expect(decrypt(Buffer.from('hello world 1234' + '\x10'.repeat(16)))).toBe('hello world 1234');
    for (const padding of ['\x00', '\x11', '\x02', '\x03\x02\x03']) {
      expect(() => decrypt(Buffer.from(padding.padStart(16, 'x'))), JSON.stringify(padding)).toThrow(CryptoError);
    }
    const brokenUtf8 = Buffer.concat([Buffer.alloc(13, 'x'), Buffer.from([0xe6, 0x88, 0x01])]);
    expect(() => decrypt(brokenUtf8)).toThrow(CryptoError);
  });
});

describe('base64', () => {
  test('the base64 pattern accepts exactly what an encoder makes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) =>
        base64Pattern.test(Buffer.from(bytes).toString('base64')),
      ),
    );
    const odd = fc.string({ unit: fc.constantFrom('A', 'B', 'Q', '=', '-', '_', '\n', ' ', '/', '+') });
    fc.assert(
      fc.property(odd, (text) => {
        expect(base64Pattern.test(text)).toBe(Buffer.from(text, 'base64').toString('base64') === text);
      }),
      { numRuns: 2000 },
    );
  });

  test('an iv has 16 bytes: 15, 17 and 18 are refused though 24 characters long', () => {
    for (const length of [15, 16, 17, 18]) {
      const text = randomBytes(length).toString('base64');
      expect(base64Of16BytesPattern.test(text), `${length} bytes`).toBe(length === 16);
    }
  });
});

describe('sealing', () => {
  test('any sealed text opens to what was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(open(keyring, seal(keyring, text, context), context)).toBe(text);
      }),
    );
  });

  test('a sealed value has the documented form, and its nonce is never used twice', () => {
    const sealed = Array.from({ length: 200 }, () => seal(keyring, 'f7n5qHM/QQjtB64zyvMq+g==', context));
    for (const value of sealed) expect(value).toMatch(/^v1\.k1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{54}$/);
    expect(new Set(sealed.map((value) => value.split('.')[2])).size).toBe(200);
  });

  test('any flipped bit of a sealed value is refused', () => {
    const sealed = Buffer.from(seal(keyring, 'f7n5qHM/QQjtB64zyvMq+g==', context));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      expect(() => open(keyring, flip(sealed, bit).toString('latin1'), context), `bit ${bit}`).toThrow(CryptoError);
    }
  });

  test('a sealed value with a character cut off or added is refused, and so is one moved to another place, app or user', () => {
    const sealed = seal(keyring, 'f7n5qHM/QQjtB64zyvMq+g==', context);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => open(keyring, sealed.slice(0, length), context)).toThrow(CryptoError);
    }
    for (const odd of [`${sealed}A`, `${sealed}=`, ` ${sealed}`, `${sealed}.`, `${sealed}\n`]) {
      expect(() => open(keyring, odd, context)).toThrow(CryptoError);
    }
    for (const elsewhere of [['phone', ...context.slice(1)], context.slice(1), [...context, ''], [context.join()]]) {
      expect(() => open(keyring, sealed, elsewhere)).toThrow(CryptoError);
    }
  });

  test('opening throws only its own error, whatever the text', () => {
    const shaped = fc
      .tuple(fc.constantFrom('v1', 'v2', ''), fc.constantFrom('k1', 'k2', ''), fc.base64String(), fc.base64String())
      .map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), shaped), (text) => {
        expect(() => open(keyring, text, context)).toThrow(CryptoError);
      }),
    );
  });

  test('a new first secret seals, the old one still opens, and a value of a removed secret stays closed', () => {
    const old = seal(keyring, 'key', context);
    const rotated: Keyring = [{ id: 'k2', key: Buffer.alloc(32, 2) }, ...keyring];
    expect(open(rotated, old, context)).toBe('key');
    expect(seal(rotated, 'key', context)).toMatch(/^v1\.k2\./);
    expect(() => open([rotated[0]], old, context)).toThrow(CryptoError);
    const otherSecretOfThatName: Keyring = [{ id: 'k1', key: Buffer.alloc(32, 9) }];
    expect(() => open(otherSecretOfThatName, old, context)).toThrow(CryptoError);
  });

  test('fingerprints are equal only for equal keys of one user, and say nothing without the secret', () => {
    const key = 'f7n5qHM/QQjtB64zyvMq+g==';
    expect(fingerprint(keyring, key, context)).toBe(fingerprint(keyring, key, context));
    expect(fingerprint(keyring, key, context)).not.toBe(fingerprint(keyring, key, [...context, 'x']));
    expect(fingerprint(keyring, key, context)).not.toBe(fingerprint(keyring, key.replace('f', 'g'), context));
    expect(fingerprint(keyring, key, context)).not.toBe(
      fingerprint([{ id: 'k1', key: Buffer.alloc(32) }], key, context),
    );
    expect(fingerprint(keyring, key, context)).toMatch(/^k1\.[A-Za-z0-9_-]{43}$/);
  });
});

describe('tokens', () => {
  test('a token is 32 random bytes, of which only the SHA-256 is kept', () => {
    const tokens = Array.from({ length: 200 }, () => createToken());
    expect(new Set(tokens).size).toBe(200);
    for (const token of tokens) expect(token).toMatch(tokenPattern);
    const [token = ''] = tokens;
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(hashToken(token)).toEqual(createHash('sha256').update(token).digest());
  });

  test('tokens share no four bytes with one another, nor with the nonces made between them', () => {
    const seen = new Set<number>();
    const words = Array.from({ length: 300 }, (_, index) => {
      const token = Buffer.from(createToken(), 'base64url');
      if (index % 3 > 0) return [token];
      const nonce = seal(keyring, 'x', context).split('.')[2] ?? '';
      return [token, Buffer.from(nonce, 'base64url')];
    }).flat();
    const parts = words.flatMap((bytes) =>
      Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4)),
    );
    for (const part of parts) seen.add(part);
    // Two of 2,700 random words of 32 bits are equal once in a thousand runs, and three pairs never.
    expect(parts.length - seen.size).toBeLessThan(3);
  });
});

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
