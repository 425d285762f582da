import {
  removeElement,
  removeIf,
  removeOperand,
  removeProperty,
  removeStatement,
  setArgument,
  setBody,
  setCall,
  setCondition,
  setLiteral,
  setOperand,
  setProperty,
  setStatement,
  setValue,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const proof = ['test/auth/proof.test.ts', 'test/crypto.test.ts'];
const login = ['test/auth/login.test.ts', 'test/reasons.test.ts'];
const keys = ['test/auth/session-keys.test.ts'];
const openData = ['test/auth/open-data.test.ts'];

/** Mistakes in what makes a profile, a key or other data of WeChat's believed. */
export const proofMutants = [
  ...mutantsOf('src/crypto.ts', proof, [
    [
      'a signature of any length of hexadecimal is one',
      'signatureMatches',
      setBody(
        "const given = Buffer.from(signature, 'hex'); return hash('sha1', rawData + sessionKey, 'buffer').subarray(0, given.length).equals(given);",
      ),
    ],
    [
      'the signature covers the key as bytes, not as text',
      'signatureMatches',
      setArgument('hash', 1, "Buffer.concat([Buffer.from(rawData), Buffer.from(sessionKey, 'base64')])"),
    ],
    [
      'base64 is whatever Node decodes',
      'fromBase64',
      setCondition('true', 'text'),
      [...proof, 'test/auth/login.test.ts', 'test/user/pictures.test.ts'],
    ],
    ['decrypted text need not be UTF-8', 'utf8', setProperty('fatal', 'false')],
    ['a sealed value opens for every user', 'additionalData', setArgument('stringify', 0, '[first]')],
    [
      'the parts of the additional data run together',
      'additionalData',
      setCall('stringify', "[first, ...context].join('')"),
    ],
    ['a sealed value may have more parts', 'open', removeOperand('rest')],
    ['the nonce is always the same', 'seal', setValue('nonce', 'Buffer.alloc(12)')],
    [
      'random bytes are given more than once',
      'freshBytes',
      setBody('if (page.length === 0) page = randomBytes(4096); taken = 0; return page.subarray(taken, count);'),
    ],
    [
      'the token itself is stored',
      'hashToken',
      setBody("return Buffer.from(token, 'base64url');"),
      ['test/crypto.test.ts', 'test/secrets.test.ts'],
    ],
    [
      'the name of a session is its hash in the database',
      'sessionIdOf',
      setBody("return tokenHash.toString('base64url');"),
      ['test/user/account.test.ts'],
    ],
  ]),
  ...mutantsOf('src/auth/proof.ts', proof, [
    ['the watermark may be of another app', 'prove', removeIf('appid')],
    [
      'the watermark may be a second too old',
      'prove',
      setOperand('ageSeconds > expected.maxAgeSeconds + 1', 'maxAgeSeconds'),
    ],
    ['the watermark may be from the future', 'prove', removeOperand('maxAheadSeconds')],
    ['the unionid inside may be any text', 'openData', removeProperty('unionId')],
    ["somebody else's openid inside is ignored", 'prove', removeIf('openId')],
    ['the decrypted fields are not compared with the signed ones', 'prove', removeIf('isDeepStrictEqual')],
    [
      'only the decrypted fields are compared: a signed one may be missing',
      'prove',
      setValue('names', 'new Set(Object.keys(decrypted))'),
    ],
    [
      'only the fields of a profile are compared: another decrypted one need not be signed',
      'prove',
      setValue('names', 'new Set(profileFields)'),
    ],
    [
      'a signature by another key is as good',
      'findSigningKey',
      setCondition('true', 'fresh'),
      [...proof, 'test/auth/login.test.ts'],
    ],
    ['whatever the fresh key did not sign, the previous one did', 'findSigningKey', removeOperand('signatureMatches')],
    [
      'the refusal tells which check failed',
      'rejected',
      setArgument('AppError', 1, '{ fields: [check], detail: { check } }'),
      [...proof, ...login],
    ],
  ]),
  ...mutantsOf('src/crypto.ts', login, [['a damaged value stops the call', 'openOrNull', removeIf('CryptoError')]]),
  ...mutantsOf('src/auth/session-keys.ts', keys, [
    ['the previous key is never tried', 'createSessionKeys.openPrevious', setCondition('false', 'current'), login],
    ['the key of a later exchange is tried', 'createSessionKeys.openPrevious', removeIf('isLater')],
    ["another app's stored key is tried", 'createSessionKeys.openPrevious', removeOperand('appId')],
    [
      'a key that a wrong clock stored hides the one before it for years',
      'createSessionKeys.openPrevious',
      removeOperand('isFromWrongClock'),
      ['test/clocks.test.ts', ...keys],
    ],
    ["a key opens in another user's row", 'sessionKeyContext', removeElement('openId')],
    ['a key opens for another app', 'sessionKeyContext', removeElement('appId')],
    [
      'open data sealed by the key before the present one does not open',
      'createSessionKeys.openAll',
      removeElement('prevSessionKey'),
      openData,
    ],
  ]),
  ...mutantsOf('src/auth/open-data.ts', openData, [
    ['open data may be of another app', 'createOpenData.decrypt', removeIf('appid')],
    ['open data may be of any age', 'createOpenData.decrypt', removeOperand('watermarkMaxAgeSeconds')],
    ['open data may be from the future', 'createOpenData.decrypt', removeOperand('maxAheadSeconds')],
    ['open data need not fit the schema', 'createOpenData.decrypt', removeIf('success')],
    [
      'what the schema of open data does not name is given along',
      'createOpenData.decrypt',
      setStatement('return opened;', 'data'),
    ],
    ['a key that WeChat renewed is not stored', 'createOpenData.resetSessionKey', removeStatement('saveSessionKey')],
    ['a key that WeChat refuses to renew is stored as it is', 'createOpenData.resetSessionKey', removeIf('sessionKey')],
    ['the junk of a wrong key is an internal error', 'decryptWith', removeOperand('SyntaxError')],
  ]),
  ...mutantsOf('src/auth/inputs.ts', login, [
    ['the signature may be in capitals', 'loginInput.signature', setLiteral('^[0-9a-f]{40}$', '/^[0-9a-f]{40}$/i')],
    ['rawData is counted in characters, not in bytes', 'rawData', removeOperand('byteLength')],
  ]),
  ...mutantsOf('src/wechat/signed-json.ts', login, [
    [
      'signed JSON may be nested without end',
      'parseSignedJson',
      removeIf('isWithin'),
      [...login, ...proof, ...openData],
    ],
    ['a name may stand twice in signed JSON', 'parseSignedJson', removeIf('countNames'), proof],
    ['control characters in a signed name are refused', 'parseLeniently', removeStatement('escaped', 'parse')],
  ]),
];
