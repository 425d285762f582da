import type { Failure } from '@guoke/client';
import { failureOf } from '@guoke/client';

/** One sentence on a page: how something went. */
export interface Sentence {
  sentence: string;
  /** It tells of something gone wrong. */
  warns: boolean;
}

export const warning = (sentence: string): Sentence => ({ sentence, warns: true });

const busyServer = '服务器正忙，请过一会儿再试。';
export const unavailable = '这个功能暂时不可用，请联系这个小程序的开发者。';

/** What to tell a person whose wish was not granted. */
export function sentenceOf(error: unknown): Sentence {
  const failure = failureOf(error);
  if (failure.kind === 'network' || failure.kind === 'timeout' || failure.kind === 'wx-login') {
    return warning('连不上服务器，请检查网络，再试一次。');
  }
  if (failure.kind === 'refused') return warning(refusalOf(failure));
  return warning(failure.retry === 'later' ? busyServer : unavailable);
}

function refusalOf({ reason, retry }: Extract<Failure, { kind: 'refused' }>): string {
  switch (reason) {
    case 'CONTENT_REJECTED':
      return '微信认为这个昵称或图片不合适，请换一个。';
    case 'CODE_INVALID':
      return '这次授权已经失效，请再点一次按钮。';
    case 'RATE_LIMITED':
    case 'WECHAT_RATE_LIMITED':
      return '操作太频繁了，请过一分钟再试。';
    case 'USER_BLOCKED':
      return '这个账号被停用了，暂时不能使用。';
    default:
      return retry === 'never' ? unavailable : busyServer;
  }
}
