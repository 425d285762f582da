import type { Failure } from '@guoke/client';
import { failureOf } from '@guoke/client';
import { PictureError } from './picture';

/** One sentence under the form. */
export interface Sentence {
  sentence: string;
  /** It tells of something gone wrong. */
  warns: boolean;
}

const warning = (sentence: string): Sentence => ({ sentence, warns: true });

/** What to tell a person whose profile was not saved, or whose phone number was not bound. */
export function sentenceOf(error: unknown): Sentence {
  if (error instanceof PictureError) {
    return warning(error.kind === 'too-large' ? '这张图片太大了，请换一张小一点的。' : unusablePicture);
  }
  const failure = failureOf(error);
  if (failure.kind === 'network' || failure.kind === 'timeout' || failure.kind === 'wx-login') {
    return warning('连不上服务器，没能保存。请检查网络，再试一次。');
  }
  if (failure.kind === 'refused') return warning(refusalOf(failure));
  return warning(failure.retry === 'later' ? busyServer : unavailable);
}

/** What to tell a person who let WeChat give no phone number, or to whom it gave none. */
export function phoneRefusal(errMsg: string): Sentence {
  if (errMsg.includes('privacy permission is not authorized')) {
    return warning('没有同意隐私保护指引，微信不会提供手机号。');
  }
  if (/deny|denied|cancel/.test(errMsg)) {
    return { sentence: '没有授权手机号也没关系，其他功能照常使用。', warns: false };
  }
  // Personal accounts get `no permission`; `api scope is not declared in the privacy agreement` is a developer's mistake.
  if (/no permission|privacy agreement/.test(errMsg)) {
    return warning('这个小程序没有获取手机号的权限，请联系它的开发者。');
  }
  return warning('微信现在给不了手机号，请检查网络，过一会儿再试。');
}

const unusablePicture = '这张图片打不开，请换一张。';
const busyServer = '服务器正忙，请过一会儿再试。';
const unavailable = '这个功能暂时不可用，请联系这个小程序的开发者。';

function refusalOf({ reason, retry, fields }: Extract<Failure, { kind: 'refused' }>): string {
  switch (reason) {
    case 'INPUT_INVALID':
      if (fields.includes('avatar')) return unusablePicture;
      return fields.includes('nickName') ? '这个昵称不能用，请换一个。' : unavailable;
    case 'CONTENT_REJECTED':
      return '微信认为这个昵称或图片不合适，请换一个。';
    case 'CODE_INVALID':
      return '这次授权已经失效，请再点一次按钮。';
    case 'RATE_LIMITED':
    case 'WECHAT_RATE_LIMITED':
      return '操作太频繁了，请过一分钟再试。';
    case 'USER_BLOCKED':
      return '微信认为这个账号有风险，暂时不能使用。';
    default:
      return retry === 'never' ? unavailable : busyServer;
  }
}
