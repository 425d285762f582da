import {
  removeIf,
  removeOperand,
  setArgument,
  setCall,
  setCondition,
  setLiteral,
  setProperty,
  setStatement,
  setValue,
} from '../changes.ts';
import { mutantsOf } from '../mutant.ts';

const push = ['test/wechat/push.test.ts'];

/** Mistakes in what is believed of WeChat's message push, and in what is done for it. */
export const pushMutants = [
  ...mutantsOf('src/http/wechat-push.ts', push, [
    ['the signature of a push is not compared', 'wechatPush.verified', removeIf('isPushSignature')],
    ['the signature of the URL check is not compared', 'wechatPush', removeIf('isPushSignature', 'parts')],
    [
      'the signature need not cover what is encrypted',
      'wechatPush.verified',
      setArgument('isPushSignature', 2, '[timestamp, nonce]'),
    ],
    ['a push may be for another app inside', 'wechatPush.verified', removeIf('opened', 'appId')],
    ['a push may be of any age', 'wechatPush.verified', removeIf('maxAgeMs')],
    ['the message inside a push may be of any age', 'wechatPush', removeIf('maxDelayMs')],
    ['a push may be from the future', 'wechatPush.verified', setCall('abs', '($0)')],
    [
      'a push in clear is believed',
      'wechatPush.verified',
      setStatement("return { text: await c.req.text(), appId: c.req.param('appId') ?? '' };", 'in clear'),
    ],
    [
      'a push that comes again does its work again',
      'wechatPush',
      setCall('run', "handle(fields, appId, c.get('requestId'))"),
    ],
    ['a parameter may stand in the query more than once', 'parameter', removeOperand('others')],
    ['the body of a push may be of any size', 'wechatPush', setProperty('maxSize', 'Infinity')],
    ['a push of a user that is cleared in part is not handed on', 'wechatPush.handle', removeOperand('others')],
  ]),
  ...mutantsOf('src/wechat/push-crypto.ts', push, [
    [
      'the signature of a push may be in capitals',
      'isPushSignature',
      setLiteral('^[0-9a-f]{40}$', '/^[0-9a-f]{40}$/i'),
    ],
    ['the parts of a signature are not sorted', 'isPushSignature', setCall('toSorted', '[token, ...parts]')],
    ['padding may be of any length', 'withoutPadding', removeOperand('maxPadding')],
    ['padding may hold any bytes', 'withoutPadding', setCondition('true', 'every')],
    ['the length inside may reach beyond the end', 'openPush', removeIf('textEnd')],
    ['the text of a push need not be UTF-8', 'utf8', setProperty('fatal', 'false')],
  ]),
  ...mutantsOf('src/wechat/push-message.ts', push, [
    ['a message may declare entities', 'readXml', removeIf('<!(?!\\[CDATA\\[)')],
    ['numbers in XML are read as numbers', 'readXml', setProperty('parseTagValue', 'true')],
    ["an event of another app's is taken for ours", 'toPushEvent', removeOperand('AppID')],
    ['what is no event is taken for one', 'toPushEvent', removeOperand('MsgType')],
    ['what WeChat revokes beside ours is kept to ourselves', 'toPushEvent', setValue('others', 'false')],
  ]),
  ...mutantsOf('src/user/push-effects.ts', push, [
    ['an old event concerns a user who came back', 'applyPush', removeOperand('createdAt')],
    ["a push erases another app's user", 'applyPush', removeOperand('appId')],
    ['a risky avatar stays', 'clearing', setProperty('avatar', '{}')],
  ]),
];
