import {
  removeIf,
  removeOperand,
  removeStatement,
  setBody,
  setCall,
  setLiteral,
  setOperand,
  setOperator,
  setProperty,
  setArgument,
  setValue,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const session = ['test/auth/session.test.ts', 'test/auth/tokens.test.ts'];
const account = ['test/user/account.test.ts'];
const clocks = ['test/clocks.test.ts', 'test/auth/tokens.test.ts'];

/** Mistakes in who is logged in, and for how long. */
export const sessionMutants = [
  ...mutantsOf('src/auth/tokens.ts', session, [
    ['an expired token is good', 'createTokens.verify', removeOperand('expiresAt')],
    ['a token is good at the very moment it expires', 'createTokens.verify', setOperator('<=', '<', 'expiresAt')],
    ['a token lives for ever if it is used', 'createTokens.verify', setCall('min', '$0')],
    [
      'a token is extended at every use',
      'createTokens.verify',
      setOperand('now - session.lastUsedAt >= 0', 'lastUsedAt', 'hourMs'),
    ],
    [
      'the token may stand anywhere in the header',
      'createTokens.verify',
      setLiteral('^Bearer +([A-Za-z0-9_-]{43})$', '/([A-Za-z0-9_-]{43})/i'),
    ],
    ['a blocked user goes on with the tokens they have', 'createTokens.verify', removeIf('blockedAt'), account],
    [
      'a token of a clock that was years ahead lives for years',
      'createTokens.verify',
      removeIf('isFromWrongClock', 'createdAt'),
      clocks,
    ],
    [
      'a token that a clock years ahead has used is not extended for years',
      'createTokens.verify',
      removeOperand('isFromWrongClock'),
      clocks,
    ],
    [
      'a token is refused where its use cannot be written',
      'ignoreUnavailable',
      setBody('throw error;'),
      ['test/store/read-only.test.ts', ...session],
    ],
    [
      'a use that cannot be written is forgiven whatever the reason',
      'ignoreUnavailable',
      setBody('void error;'),
      session,
    ],
  ]),
  ...mutantsOf('src/auth/record-login.ts', account, [
    ['a blocked user logs in', 'recordLogin', removeIf('blockedAt')],
    ['the refused login of a blocked user leaves its session', 'recordLogin', removeStatement('deleteSession')],
  ]),
  ...mutantsOf('src/auth/confirm-code.ts', account, [
    ["another user's code confirms", 'confirmCode', removeOperand('openId')],
    ['the key that a confirming code may have rotated is lost', 'confirmCode', removeStatement('saveSessionKey')],
    [
      'a code confirms in the first app only',
      'confirmCode',
      setArgument('exchangeCode', 1, 'undefined'),
      ['test/auth/apps.test.ts', ...account],
    ],
    [
      'the key of a confirming code is written to a user who was made meanwhile',
      'confirmCode',
      setArgument('saveSessionKey', 0, '{ openId: user.openId }'),
      ['test/user/erasure.test.ts'],
    ],
  ]),
  ...mutantsOf('src/auth/sessions.ts', account, [
    ['a list holds a thousand sessions', '', setValue('maxListed', '1000')],
    ['an export holds a hundred sessions', '', setValue('maxExported', '100')],
  ]),
  ...mutantsOf('src/auth/router.ts', account, [
    ['every session in the list is the present one', 'authRouter', setProperty('isCurrent', 'true')],
    [
      'the session that is revoked is any one of the user',
      'authRouter.revokeSession',
      setCall('find', 'sessions.at(-1)'),
    ],
    ['logout revokes no token', 'authRouter.logout', removeStatement('deleteSession'), ['test/auth/session.test.ts']],
  ]),
];
