import {
  removeAwait,
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
  setProperty,
  setStatement,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const account = ['test/user/account.test.ts'];
const phone = ['test/user/phone.test.ts'];
const text = ['test/user/text.test.ts', 'test/auth/login.test.ts'];
const contentCheck = ['test/user/content-check.test.ts'];
const acts = ['test/operations/user-acts.test.ts'];
const erasure = ['test/user/erasure.test.ts'];

/** Mistakes in what is stored of a person, shown to them, and deleted. */
export const userMutants = [
  ...mutantsOf('src/user/router.ts', account, [
    ['the export needs no code', 'userRouter.exportData', removeStatement('confirmCode')],
    ['the deletion needs no code', 'userRouter.deleteAccount', removeStatement('confirmCode')],
    ['a call under way writes into the user who came back', 'update', removeProperty('createdUpTo')],
    ['a call under way writes into the user who was blocked', 'update', removeProperty('isBlocked')],
    [
      'a write to a user who is gone is answered as done',
      'update',
      setStatement('return arguments[0].user;', 'SESSION_INVALID'),
    ],
    ['the whole phone number is answered', 'userRouter.bindPhone', setCall('maskPhoneNumber', 'phone.number'), phone],
    ['a nickname is not checked', 'userRouter.updateProfile', removeStatement('checkText'), contentCheck],
    ['a picture is not checked', 'userRouter.updateProfile', removeStatement('checkPicture'), contentCheck],
    ['a nickname is stored while it is checked', 'userRouter.updateProfile', removeAwait('checkText'), contentCheck],
    [
      'a procedure with a picture has no more room than the others',
      'userRouter.updateProfile',
      setProperty('maxBodyBytes', '64 * 1024'),
      ['test/user/profile.test.ts'],
    ],
    [
      'an export may spend any number of codes',
      'userRouter.exportData',
      setCall('use', 'accountProcedure.input(confirmedInput)'),
      ['test/limits/rate-limiter.test.ts'],
    ],
    [
      'a deletion may spend any number of codes',
      'userRouter.deleteAccount',
      setCall('use', 'accountProcedure.input(confirmedInput)'),
      ['test/limits/rate-limiter.test.ts'],
    ],
    [
      'what is done at WeChat for a phone number is not limited',
      'userRouter.bindPhone',
      setCall('use', 'accountProcedure.input(bindPhoneInput)'),
      ['test/limits/rate-limiter.test.ts'],
    ],
  ]),
  ...mutantsOf('src/user/profile.ts', text, [
    ['text may hold lone surrogates', 'isStorable', setLiteral('[\\p{Cc}\\p{Cs}]', '/[\\p{Cc}]/u')],
    ['text is measured in UTF-16 units', 'isStorable', removeOperand('from')],
    ["WeChat's anonymous name counts as a name", 'isOwnName', removeOperand('anonymousNickName')],
    ['the grey avatar is stored', 'ownProfile', setCondition('false', 'greyAvatar')],
    ['an avatar of WeChat may be a script', 'isHttpUrl', setBody('URL.canParse(value)')],
  ]),
  ...mutantsOf(
    'src/user/nickname.ts',
    ['test/user/profile.test.ts'],
    [
      ['a name may hold characters that deceive', 'nickName', removeOperand('treacherous')],
      ['a name is not composed', 'nickName', setCall('normalize', 'value')],
    ],
  ),
  ...mutantsOf('src/user/phone.ts', phone, [
    ["a number opens in another user's row", 'phoneNumberContext', removeElement('openId')],
    [
      'a number is found by the first secret alone',
      'createPhoneNumbers.fingerprints',
      setBody('[fingerprint(keyring, number, phoneFingerprintContext)]'),
      ['test/operations/keys.test.ts', ...phone],
    ],
    ['a short number is shown whole', 'maskPhoneNumber', setArgument('max', 1, 'number.length')],
  ]),
  ...mutantsOf('src/user/erasure.ts', erasure, [
    ["the owner's hook is not called", 'eraseUser', removeStatement('onUserDeleted')],
    ["the owner's hook is not awaited", 'eraseUser', removeAwait('onUserDeleted')],
    [
      'the user who came back while the hook ran is deleted',
      'eraseUser',
      setArgument('deleteUser', 0, '{ openId: selector.openId }'),
    ],
    [
      'a user who was blocked meanwhile is deleted',
      'eraseUser',
      setArgument('deleteUser', 0, '{ ...selector, createdUpTo: user.createdAt, isBlocked: undefined }'),
      account,
    ],
    ['the hook is called for the user who came back before it', 'eraseUser', removeIf('createdUpTo')],
  ]),
  ...mutantsOf('src/user/retention.ts', acts, [
    ['the hook is told of users who logged in lately', 'eraseUnseen', removeIf('updatedAt'), erasure],
    ['users whose session was used lately are deleted', 'eraseUnseen', removeIf('lastUsedAt'), erasure],
    ['a user who logs in while the hook runs is deleted', 'eraseUnseen', removeProperty('unseenSince'), erasure],
    ['the walk begins again at once', 'createRetentionSweep', removeOperand('walkedAt')],
    ['users are deleted without RETENTION_DAYS', 'createRetentionSweep', removeOperand('retentionDays', '0')],
    ['a failure ends the walk', 'createRetentionSweep', setStatement('throw error;', 'push')],
    ['a failure is not told', 'createRetentionSweep', removeIf('failures')],
  ]),
  ...mutantsOf('src/operations/user-acts.ts', acts, [
    [
      'numbers and names are shown to an operator who did not ask',
      'createUserActs.show',
      removeProperty('realName', '***'),
    ],
    ['an operator cannot have them revealed', 'createUserActs.show', removeIf('reveal')],
    ['an act of an operator is not logged', 'createUserActs.act', removeStatement('info')],
    ['block unblocks', 'createUserActs.acts.block', setProperty('blockedAt', 'null')],
    ['a number without a country code is not found', 'withCountryCode', setBody('return phone;')],
  ]),
  ...mutantsOf(
    'src/user/pictures.ts',
    ['test/user/pictures.test.ts'],
    [
      ['a picture may take any memory of the decoder', 'createPictures.toAvatar', removeOperand('maxDecoderBytes')],
      [
        'one user may send any number of pictures',
        'createPictures.toAvatar',
        removeIf('waitSeconds'),
        ['test/limits/rate-limiter.test.ts'],
      ],
      ['an avatar may be transparent', 'encode', setArgument('flatten', 0, 'false'), contentCheck],
    ],
  ),
];
