import {
  removeArgument,
  removeIf,
  removeOperand,
  removeStatement,
  setArgument,
  setBody,
  setCall,
  setCondition,
  setOperator,
  setProperty,
  setTemplateText,
  setValue,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const logins = ['test/store/login.test.ts', 'test/store/sessions.test.ts'];
const accounts = ['test/store/accounts.test.ts'];
const clocks = ['test/clocks.test.ts'];
const leases = ['test/store/access-tokens.test.ts'];
const migrate = ['test/store/migrate.test.ts'];
const guarded = ['test/store/guarded-store.test.ts'];
const batches = ['test/store/batches.test.ts'];

const never = 'sql`1 = 0`';
const always = 'sql`1 = 1`';

/** Mistakes in what the databases keep. */
export const storeMutants = [
  ...mutantsOf('src/store/accounts.ts', accounts, [
    ['a phone number is found by nothing', 'changedColumns', setProperty('phoneFingerprint', 'null')],
  ]),
  ...(['sqlite', 'mysql'] as const).flatMap((dialect) => [
    ...mutantsOf(`src/store/${dialect}/statements.ts`, logins, [
      [`${dialect}: an older key overwrites a newer one`, 'isLater', setBody(always)],
      [
        `${dialect}: a session is extended by each of those that use it at once`,
        'updateSession',
        setCall('lte', always),
      ],
      [`${dialect}: the same key again moves the previous one out`, 'keyColumns', setValue('isOtherKey', always)],
      [
        `${dialect}: an unknown nickname takes the known one away`,
        'upsertSet',
        setProperty('nickName', 'incoming(user.nickName)'),
      ],
      [
        `${dialect}: a refused login of a blocked user changes the profile`,
        'incomingProfile',
        setBody('incoming(column)'),
        ['test/user/account.test.ts'],
      ],
      [`${dialect}: gender 0 overwrites a known one`, 'upsertSet', setTemplateText(' in (1, 2), ', ' in (0, 1, 2), ')],
      [
        `${dialect}: a key of a clock years ahead is kept for years`,
        'isLater',
        setTemplateText(' or ', ' and not '),
        clocks,
      ],
      [
        `${dialect}: a user whom a clock years ahead has seen was seen then for years`,
        'laterUpdatedAt',
        setBody(`sql\`${dialect === 'mysql' ? 'greatest' : 'max'}(\${now}, \${user.updatedAt})\``),
        clocks,
      ],
      [`${dialect}: logoutAll counts expired sessions`, 'deleteSessionsOf', setCall('lte', never)],
    ]),
    ...mutantsOf(`src/store/${dialect}/accounts.ts`, accounts, [
      [
        `${dialect}: the sessions of a deleted user stay`,
        'accounts.deleteUser',
        dialect === 'mysql'
          ? removeStatement('session', 'delete')
          : setCall('where', `db.delete(session).where(${never})`, 'session', 'inArray'),
      ],
      [
        `${dialect}: an avatar that another user has is deleted`,
        'deleteUnshared',
        removeArgument('and', 1, 'notExists'),
      ],
      [
        `${dialect}: the avatar of a deleted user stays`,
        'accounts.deleteUser',
        dialect === 'mysql'
          ? removeStatement('deleteUnshared')
          : setCall('deleteUnshared', `db.delete(avatar).where(${never})`),
      ],
      [`${dialect}: a user who came back is taken for the one before`, 'matching', setCondition('true', 'createdUpTo')],
      [
        `${dialect}: a user whose session was used lately counts as unseen`,
        'matching',
        removeArgument('and', 1, 'notExists'),
      ],
      [`${dialect}: the sessions of others are listed, and revoked`, 'accounts.listSessions', removeArgument('and', 0)],
      [`${dialect}: expired sessions are listed`, 'accounts.listSessions', removeArgument('and', 1)],
    ]),
    ...mutantsOf(`src/store/${dialect}/access-tokens.ts`, leases, [
      [`${dialect}: a lease that another holds is taken`, 'isFree', setValue('isFree', always)],
      [
        `${dialect}: the lease of a clock years ahead lasts for years`,
        'isFree',
        setTemplateText(' or ', ' and not '),
        clocks,
      ],
      [
        `${dialect}: a token is written by an instance that lost the lease`,
        'accessTokens.updateAccessToken',
        removeArgument('and', 1),
        leases,
      ],
    ]),
    ...mutantsOf(
      `src/store/${dialect}/avatars.ts`,
      ['test/operations/sweeper.test.ts'],
      [
        [`${dialect}: avatars that users have are swept`, 'avatars.sweepAvatars', removeArgument('and', 3)],
        [`${dialect}: avatars are swept before they may have a user`, 'avatars.sweepAvatars', removeArgument('and', 2)],
      ],
    ),
  ]),
  ...mutantsOf('src/store/mysql/maintenance.ts', clocks, [
    ['a host whose clock is ahead sweeps good sessions', 'deleteExpiredSessions', setArgument('lte', 1, 'now')],
  ]),
  ...mutantsOf(
    'src/store/clock.ts',
    [...clocks, 'test/auth/tokens.test.ts'],
    [
      ['a clock that is a little ahead counts as wrong', 'isFromWrongClock', setBody('return time > now;')],
      ['no clock counts as wrong', 'isFromWrongClock', setBody('return false;')],
    ],
  ),
  ...mutantsOf('src/store/guarded-store.ts', guarded, [
    ['an openid may be any text', 'guardedStore.runFor', removeIf('idPattern')],
    ['an openid may have a line break at its end', 'idPattern', setCall('RegExp', '/^[A-Za-z0-9_-]{1,64}\\s*$/')],
    ['the statements of a request have no budget', 'createBudget', setCondition('true', 'leftMs')],
    ['statements one after the other do not add up', 'createBudget', removeStatement('waitedMs', 'waitingSince')],
    ['a statement that never ends is waited for', 'guardedStore.run', setValue('run', '(call) => call()')],
  ]),
  ...mutantsOf('src/store/batcher.ts', batches, [
    ['one login that fails takes its batch with it', 'createBatcher.send', setCondition('false', 'length')],
    ['a call whose caller has given up is sent', 'createBatcher.flush', removeStatement('isExpired')],
    ['any number of batches is in flight', 'createBatcher.flush', removeOperand('maxInFlight')],
    ['a batch may be of any size', 'createBatcher.flush', setArgument('splice', 1, 'Infinity')],
    ['a batch that hangs holds all others up', 'createBatcher', setCall('setTimeout', 'undefined', 'lingerMs')],
    ['what concerns one row holds up the logins of others', 'createBatcher.send', setCall('keyOf', "'all'", 'call')],
  ]),
  ...mutantsOf('src/store/mysql/lease.ts', migrate, [
    ['a lease that another instance holds is taken', 'createLease.tryToTake', setValue('isFree', always)],
    [
      'the lease of an instance that died lasts for ever',
      'createLease.tryToTake',
      setTemplateText('expires_at < utc_timestamp(3) or owner', 'owner'),
    ],
    ['an instance that lost its lease goes on', 'fence', setValue('fence', 'sql`from ${table} where name = ${name}`')],
    [
      'an instance renews the lease of another',
      'createLease.renew',
      setValue('renewal', 'sql`update ${table} set expires_at = ${expiry} where name = ${name}`'),
    ],
    ['a lease is not given back', 'createLease.release', setBody('return;')],
  ]),
  ...mutantsOf('src/store/mysql/migrator.ts', migrate, [
    [
      'the lease is not renewed beside a long statement',
      'createMigrator.run',
      setValue('renewing', 'setInterval(() => {}, 1e9)'),
    ],
    ['a migration in the journal is applied again', 'createMigrator.applyAll', removeIf('applied')],
    [
      'a migration in the earlier journal is applied again',
      'createMigrator.applyAll',
      setCondition('true', 'appliedEarlier'),
    ],
    ['a migration that was cut off begins anew', 'createMigrator.apply', setValue('first', '0')],
    ['a table that we did not make is taken for ours', 'createMigrator.apply', removeIf('begun')],
    ['a statement begins without the lease', 'createMigrator.apply', setOperator('===', '<', 'change')],
    [
      'a statement that was carried out, and not recorded, stops the next start',
      'createMigrator.execute',
      removeIf('mayHaveBeenDone'),
    ],
    ['a migration is recorded without the lease', 'createMigrator.record', setOperator('===', '<', 'changeRaw')],
  ]),
  ...mutantsOf('src/store/sqlite/migrate.ts', migrate, [
    [
      'any migration in the journal counts for all',
      'isIn',
      setTemplateText(' where hash = ', ' where hash = hash or hash = '),
    ],
    ['a migration in the earlier journal is applied again', 'migrateOn', setValue('isDone', 'false')],
    ['a table that is in the way is not named', 'migrateOn', removeStatement('foreignTable')],
  ]),
];
