import { removeIf, setLiteral, setProperty } from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const keyring = ['test/operations/keyring-file.test.ts'];

/** Mistakes in what an operator relies on. */
export const operationsMutants = [
  ...mutantsOf('src/operations/keyring-file.ts', keyring, [
    ['a lost secret is replaced in silence', 'makeKeyringFile', removeIf('exists')],
    ['the secret may be read by everybody', 'writeSecret', setProperty('mode', '0o644', '384')],
  ]),
  ...mutantsOf(
    'src/operations/call-record.ts',
    ['test/operations/log.test.ts'],
    [["a fault of our own set-up is the world's", 'levelOf', setLiteral('WECHAT_REJECTED', "'WECHAT_BUSY'")]],
  ),
  ...mutantsOf(
    'src/operations/migration.ts',
    ['test/operations/start.test.ts', 'test/process.test.ts'],
    [['a database that is away ends the start', 'createMigration.attempt', setLiteral('unavailable', "'unexpected'")]],
  ),
  ...mutantsOf(
    'src/server.ts',
    ['test/operations/sweeper.test.ts', 'test/process.test.ts'],
    [['/readyz does not say that the server stops', 'startServer', setProperty('isStopping', '() => false')]],
  ),
];
