import { failureOf } from '@guoke/client';
import { type Sentence, sentenceOf, unavailable, warning } from '../../sentence';
import { PictureError } from './picture';

const unusablePicture = '这张图片打不开，请换一张。';

/** What to tell a person whose profile was not saved. */
export function sentenceOfSaving(error: unknown): Sentence {
  if (error instanceof PictureError) {
    return warning(error.kind === 'too-large' ? '这张图片太大了，请换一张小一点的。' : unusablePicture);
  }
  const failure = failureOf(error);
  if (failure.kind !== 'refused' || failure.reason !== 'INPUT_INVALID') return sentenceOf(error);
  if (failure.fields.includes('avatar')) return warning(unusablePicture);
  return warning(failure.fields.includes('nickName') ? '这个昵称不能用，请换一个。' : unavailable);
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
