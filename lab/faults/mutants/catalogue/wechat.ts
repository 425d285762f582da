import {
  removeElement,
  removeIf,
  removeOperand,
  removeProperty,
  setArgument,
  setCall,
  setCondition,
  setLiteral,
  setOperand,
  setProperty,
  setValue,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const exchange = ['test/wechat/exchange.test.ts', 'test/wechat/api.test.ts'];
const phone = ['test/user/phone.test.ts'];
const contentCheck = ['test/user/content-check.test.ts'];
const proxy = ['test/wechat/proxy.test.ts'];

/** Mistakes in what is asked of WeChat, and in what its answers are taken for. */
export const wechatMutants = [
  ...mutantsOf('src/wechat/api.ts', exchange, [
    ['a code is exchanged again after an answer', 'createWechatApi.attempt', setValue('mayRepeat', 'true')],
    [
      'there is no end to the tries',
      'createWechatApi.attempt',
      setValue('backoffMs', 'backoffsMs[Math.min(retries, 1)]'),
    ],
    [
      'a request that is sent only once shares the connections of the others',
      'createWechatApi.attempt',
      setCondition('true', 'isRepeatable'),
      ['test/wechat/api.test.ts'],
    ],
  ]),
  ...mutantsOf('src/wechat/exchange.ts', exchange, [
    ['any text is an openid', 'success.openid', setCall('regex', 'z.string()')],
    ['any text is a session key', 'success.session_key', setCall('regex', 'z.string()')],
    [
      'the deadline of an exchange is ten times as long',
      'createWechat.exchangeCode',
      setArgument('withinDeadline', 0, 'timeoutMs * 10'),
      [...exchange, 'test/auth/login.test.ts'],
    ],
    [
      'WeChat is asked for an app that is not ours',
      'createWechat.exchangeCode',
      removeIf('secret'),
      ['test/auth/apps.test.ts'],
    ],
  ]),
  ...mutantsOf('src/wechat/errcodes.ts', exchange, [
    ['a used code is taken for our own mistake', 'reasons', setLiteral('40163', '0')],
    [
      'an unknown errcode is taken for a wrong code',
      'errorIn',
      setValue('reason', "reasons.get(errcode) ?? 'CODE_INVALID'"),
    ],
    [
      'a call too many at WeChat does not say when to come back',
      'errorIn',
      removeProperty('retryAfterSeconds'),
      ['test/wechat/api.test.ts', 'test/auth/login.test.ts'],
    ],
  ]),
  ...mutantsOf('src/wechat/http.ts', exchange, [
    ['half of a head counts as no answer', 'dispatch.onResponseError', removeOperand('hasAnswerBegun')],
    ['an answer may be of any size', 'createWechatHttp', removeProperty('maxResponseSize')],
    ['an answer may have any status', 'createWechatHttp.send', removeIf('200')],
    [
      'the message of a bad answer quotes it',
      'createWechatHttp.send',
      setCall('badResponse', "new AppError('WECHAT_BAD_RESPONSE', { fields: [utf8.decode(answer.body)] })"),
      ['test/secrets.test.ts', ...exchange],
    ],
    [
      'a host that NO_PROXY names is called through the proxy',
      'createWechatHttp.dispatcher',
      setCall('EnvHttpProxyAgent', "new EnvHttpProxyAgent({ ...options, ...proxies, noProxy: '' })"),
      proxy,
    ],
    ['the proxy is not used', 'createWechatHttp.dispatcher', setCondition('false', 'proxies'), proxy],
    ['a proxy that refuses is taken for a WeChat that is away', 'proxyFailureIn', removeIf('status', '0'), proxy],
    ['a proxy that cannot reach WeChat counts as one that refuses', 'proxyFailureIn', removeIf('502'), proxy],
  ]),
  ...mutantsOf('src/config.ts', proxy, [
    ['no_proxy in lower case is not read', 'withProxies', removeElement('NO_PROXY')],
  ]),
  ...mutantsOf('src/limits/concurrency-limiter.ts', exchange, [
    ['requests to WeChat have no bound', 'createConcurrencyLimiter.acquire', removeOperand('max')],
    [
      'one user may take all slots of pictures',
      'createConcurrencyLimiter.acquire',
      removeOperand('maxPerKey'),
      ['test/http/picture-bodies.test.ts'],
    ],
  ]),
  ...mutantsOf('src/wechat/access-token.ts', phone, [
    ['a renewal is forced as often as it is asked for', 'fetchFromWechat', setOperand('true', 'forcedEveryMs')],
    ['a renewal is forced any number of times a day', 'fetchFromWechat', removeOperand('forcedADay')],
    [
      'a forced renewal of a clock years ahead is the last for years',
      'fetchFromWechat',
      removeOperand('isFromWrongClock'),
      [...phone, 'test/clocks.test.ts'],
    ],
    [
      'the lease of a clock years ahead is waited for',
      'obtain',
      removeOperand('isFromWrongClock'),
      [...phone, 'test/clocks.test.ts'],
    ],
    ['a token that WeChat refused is read again from the database', 'openStored', setCondition('false', 'refused')],
    ['a token is used until the very moment of its end', 'openStored', setCondition('now() >= expiresAt', 'expiresAt')],
    ['a renewal that fails takes the old token away', 'fetchAsOwner', removeIf('AppError')],
  ]),
  ...mutantsOf('src/wechat/call-with-access-token.ts', phone, [
    ['a call is made again with the token that WeChat refused', 'callWithAccessToken', removeIf('renewed')],
    ['an expired token is an error of the call', 'tokenErrcodes', removeElement('42001')],
  ]),
  ...mutantsOf('src/wechat/phone.ts', phone, [
    [
      'a code of the phone button is exchanged again after no answer',
      'createPhoneCodes',
      setProperty('isRepeatable', 'true'),
    ],
    ["another user's code of the phone button is as good", 'createPhoneCodes', removeProperty('openid')],
    ['a phone number may be of another app', 'createPhoneCodes', removeIf('watermark')],
  ]),
  ...mutantsOf(
    'src/wechat/session-key-calls.ts',
    ['test/auth/open-data.test.ts'],
    [
      [
        'the renewal of a key is sent again after no answer',
        'createSessionKeyCalls.reset',
        setProperty('isRepeatable', 'true'),
      ],
      ["a key that is not the user's any more counts as current", 'createSessionKeyCalls', removeIf('wrongSignature')],
      [
        'the user-state signature is made with the decoded key',
        'userStateSignature',
        setArgument('createHmac', 1, "Buffer.from(sessionKey, 'base64')"),
      ],
    ],
  ),
  ...mutantsOf('src/wechat/content-check.ts', contentCheck, [
    ['a risky text is taken', 'createContentCheck.checkText', removeIf('risky')],
    [
      'a text that a person should review is refused',
      'createContentCheck.checkText',
      setCondition("result.suggest !== 'pass'", 'risky'),
    ],
    ['that a text should be reviewed is not logged', 'createContentCheck.checkText', removeIf('review')],
    [
      'a text is taken where WeChat is away',
      'createContentCheck.checkText',
      setCall('post', "$$.catch(() => ({ result: { suggest: 'pass' } }))"),
    ],
    [
      'a picture is taken where WeChat is away or refuses it',
      'createContentCheck.checkPicture',
      setCall('post', '$$.catch(() => {})'),
    ],
    ['a verdict that WeChat does not have is a good one', 'verdict', setCall('enum', 'z.string()')],
  ]),
];
