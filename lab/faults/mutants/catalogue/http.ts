import {
  removeIf,
  removeOperand,
  removeProperty,
  removeStatement,
  setArgument,
  setBody,
  setCall,
  setCondition,
  setLiteral,
  setOperator,
  setProperty,
  setStatement,
  setValue,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const login = ['test/reasons.test.ts'];
const http = ['test/http/http.test.ts'];
const account = ['test/user/account.test.ts'];
const limits = ['test/limits/rate-limiter.test.ts'];
const uploads = ['test/http/picture-bodies.test.ts'];
const connections = ['test/http/connections.test.ts'];
const room = ['test/user/profile.test.ts', 'test/http/http.test.ts'];

/** Mistakes in what a request may do, and in what its answer says. */
export const httpMutants = [
  ...mutantsOf('src/errors.ts', login, [
    ['the phone is told to try a wrong code again later', 'outcomes.CODE_INVALID', setProperty('retry', "'later'")],
  ]),
  ...mutantsOf(
    'src/trpc.ts',
    [...login, ...http],
    [
      [
        'an unexpected error says what it is',
        'explain',
        setProperty('message', 'refusal ?? String(error.cause ?? error.message)', 'refusal'),
      ],
      [
        'an unexpected error in a procedure says what it is',
        'toAppError',
        setArgument(
          'AppError',
          1,
          '{ fields: [String(cause)], cause, detail: describeError(cause ?? error) }',
          'INTERNAL',
        ),
      ],
      ['a database that is away is an internal error', 'toAppError', setLiteral('unavailable', "'unexpected'"), login],
      ['the path that was asked for is given back', 'errorFormatter', setProperty('path', 'path ?? null'), http],
      ['calls that spend a code are not limited', 'codeRateLimit', removeStatement('takeTurn'), limits],
      ['a caller after too many calls is let through', 'takeTurn', removeIf('waitSeconds'), limits],
      ['the writes of a user are not limited', 'createSignedIn', removeIf('areWritesLimited'), account],
      ['the lists of a user are not limited', 'listProcedure', removeStatement('takeTurn'), account],
      [
        'lists and writes of a user are counted together',
        'listProcedure',
        setArgument('takeTurn', 1, 'ctx.user.openId'),
        account,
      ],
      ['queries count as writes', 'createSignedIn', removeOperand('mutation'), account],
      [
        'writes are counted by address and not by user',
        'createSignedIn',
        setArgument('takeTurn', 1, 'ctx.clientAddress', 'writeLimit'),
        account,
      ],
      ["an owner's own mutations count as ours", 'signedInProcedure', setProperty('areWritesLimited', 'true'), account],
    ],
  ),
  ...mutantsOf('src/limits/rate-limiter.ts', limits, [
    ['one call more than the limit passes', 'createRateLimiter', setOperator('>=', '>', 'perMinute')],
    ['a limit of 0 lets nothing pass', 'createRateLimiter', removeIf('0')],
    ['a clock that is set back makes a minute longer', 'isOver', setBody('return now - startedAt >= minuteMs;')],
    ['a caller is forgotten before their minute ends', 'createRateLimiter', setValue('minute', 'young.get(caller)')],
    ['callers are never forgotten', 'createRateLimiter', setCondition('false', 'maxCallers')],
  ]),
  ...mutantsOf('src/limits/serial-queue.ts', uploads, [
    [
      'one user may hold all places of a queue',
      'createSerialQueue',
      setArgument('createConcurrencyLimiter', 0, '{ max }'),
    ],
    ['work that has ended keeps its place', 'createSerialQueue.running', removeStatement('release')],
  ]),
  ...mutantsOf('src/http/validate-request.ts', http, [
    ['other media types are read', 'requestRejection', removeIf('mediaType')],
    ['other methods are read', 'requestRejection', removeIf('GET')],
    ['encoded bodies are read', 'requestRejection', removeIf('content-encoding')],
    ['streamed answers are given', 'requestRejection', setCondition('false', 'application/jsonl')],
    ['a body may be in any character set', 'isJson', setBody("return mediaType.startsWith('application/json');")],
  ]),
  ...mutantsOf(
    'src/http/refusals.ts',
    ['test/operations/start.test.ts'],
    [['calls before the tables are there spend their codes', 'requireMigrated', setCondition('true', 'hasTables')]],
  ),
  ...mutantsOf('src/app.ts', http, [
    ['a batch may be of any length', 'maxBatchSize', setLiteral('10', '1000')],
    ['/readyz says nothing of a stop', 'createApp', removeOperand('isStopping'), ['test/process.test.ts']],
  ]),
  ...mutantsOf('src/http/json-calls.ts', http, [
    ['a batch of more than 10 calls runs', 'jsonCalls.readCalls', removeOperand('maxBatchSize')],
    ['a mutation may be a GET', 'jsonCalls.readCalls', removeIf('method')],
  ]),
  ...mutantsOf('src/http/call-inputs.ts', http, [
    ['the input of a batch may be a list', 'createCallInputs.split', removeOperand('isArray')],
    ['input that is not JSON quotes itself', 'createCallInputs.readAll', setStatement('throw cause;', 'BAD_REQUEST')],
  ]),
  ...mutantsOf('src/http/answer-headers.ts', http, [
    ['answers may be stored', 'answerHeaders', removeProperty('cache-control')],
    ['a browser may guess what an answer is', 'answerHeaders', removeProperty('x-content-type-options')],
  ]),
  ...mutantsOf('src/http/context.ts', http, [
    ['a caller chooses the id of the request', 'getRequestId', setCondition('true', 'trustedProxies')],
    ['an id of a request may be any text', 'getRequestId', removeOperand('^[\\w=-]{1,64}$')],
  ]),
  ...mutantsOf(
    'src/http/client-address.ts',
    ['test/http/client-address.test.ts'],
    [
      ['the entry that the caller wrote is believed', 'clientAddress', setArgument('at', 0, '0')],
      ['X-Forwarded-For is believed without a proxy', 'clientAddress', removeOperand('trustedProxies')],
      ['each address of a /64 is counted by itself', 'network', setArgument('slice', 1, '8', '4')],
    ],
  ),
  ...mutantsOf('src/http/body-limit.ts', room, [
    ['every procedure has the room of a picture', 'limitBody.maxBytesOf', setBody('return 512 * 1024;')],
    ['no procedure has more room than the others', 'limitBody.maxBytesOf', setBody('return defaultMaxBytes;')],
    [
      'a batch has the room of its smallest call',
      'limitBody.maxBytesOf',
      setCall('max', 'Math.min(...metas.map((meta) => meta?.maxBodyBytes ?? defaultMaxBytes))'),
    ],
    [
      'a token is looked up before the body of its call is there',
      'limitBody',
      removeIf('POST', 'length'),
      ['test/auth/session.test.ts'],
    ],
    ['a body of undeclared length has no bound', 'limitBody', setCall('limitUndeclared', 'next()', 'next')],
    [
      'a large body that says its length passes',
      'limitBody',
      removeIf('declared', 'maxBytes'),
      [...room, 'test/reliability/http.test.ts'],
    ],
  ]),
  ...mutantsOf('src/http/upload-limiter.ts', uploads, [
    ['a picture that was read keeps its place', 'createUploadLimiter.run', removeStatement('release')],
    ['a body that stalls keeps its place', '', setValue('maxReadMs', '60_000')],
    ['one user may stall any number of bodies', '', setValue('maxPerUser', '64')],
    [
      'a caller who is not signed in may send a large body',
      'createUploadLimiter.run',
      setCall('catch', "Promise.resolve({ user: { openId: 'anybody' } })"),
      room,
    ],
  ]),
  ...mutantsOf('src/http/connections.ts', connections, [
    ['any number of requests wait on one connection', 'createConnections.run', removeOperand('maxWaitingRequests')],
    ['requests of one connection run side by side', 'createConnections.run', setCondition('true', '1')],
    ['a peer that does not read is kept', 'createConnections.closeUnread', setCondition('false', 'maxUnreadMs')],
  ]),
  ...mutantsOf(
    'src/own-reasons.ts',
    ['test/own-reasons.test.ts'],
    [
      ["an owner's reason may have a name of guoke's", 'defineReasons', removeIf('outcomes')],
      ["an owner's reason may have any name", 'defineReasons', removeIf('namePattern')],
    ],
  ),
];
