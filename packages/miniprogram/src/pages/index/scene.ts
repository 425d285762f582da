import type { Failure, User } from '@guoke/client';
import { failureOf } from '@guoke/client';
import type { Departure } from '../../departure';
import { avatarUrlOf } from '../../guoke';

/** What the page shows. One of these at a time. */
export interface Scene {
  state: 'checking' | 'new' | 'known' | 'anonymous' | 'refused' | 'offline' | 'rejected' | 'failed' | 'departed';
  title: string;
  sentence: string;
  /** The sentence tells of something gone wrong. */
  warns: boolean;
  /** Shows the button 获取用户数据. */
  asks: boolean;
  /** What the button says that loads the page again; empty where there is none. */
  again: '' | '重试' | '重新登录';
  user: User | null;
  /** Empty where there is none. */
  avatarUrl: string;
  region: string;
  language: string;
}

const blank = { warns: false, asks: false, again: '', user: null, avatarUrl: '', region: '', language: '' } as const;

/** Until it is known who this is. */
export const checking: Scene = { ...blank, state: 'checking', title: '请稍候', sentence: '正在确认你是谁……' };

/** The person said no, to WeChat or to the agreement. */
export const refused: Scene = {
  ...blank,
  state: 'refused',
  title: '没有授权也没关系',
  sentence: '我们没有读取你的昵称和头像，也没有保存任何资料。改变主意时，再点一次按钮就好。',
  asks: true,
};

const stranger: Scene = {
  ...blank,
  state: 'new',
  title: '你好，新朋友',
  sentence: '我们还不认识你。点下面的按钮，把微信昵称和头像告诉我们。',
  asks: true,
};

const offline: Scene = {
  ...blank,
  state: 'offline',
  title: '连不上服务器',
  sentence: '请检查网络，过一会儿再试。你的资料没有丢失。',
  warns: true,
  again: '重试',
};

/** The user has left, and may come back. */
export const departed: Readonly<Record<Departure, Scene>> = {
  'logged-out': {
    ...blank,
    state: 'departed',
    title: '已退出登录',
    sentence: '这部手机上的登录已经失效，你的资料还在。想回来时，点下面的按钮。',
    again: '重新登录',
  },
  deleted: {
    ...blank,
    state: 'departed',
    title: '账号已注销',
    sentence: '你的资料和所有登录都已删除。再次登录时，你会是一位新用户。',
    again: '重新登录',
  },
};

/** Of no use to try again. */
const failed: Scene = { ...blank, state: 'failed', title: '登录不成功', sentence: '', warns: true };

const rejected: Scene = {
  ...blank,
  state: 'rejected',
  title: '资料没有通过验证',
  sentence: '微信刚刚更换了密钥，这份资料打不开，所以什么都没有保存。请再点一次按钮。',
  warns: true,
  asks: true,
};

const anonymous: Scene = {
  ...blank,
  state: 'anonymous',
  title: '登录成功',
  sentence: '新版微信只给出「微信用户」和灰色头像。想让别人认出你，请自己选头像、写昵称。',
};

/** `justNow`: the profile was handed over a moment ago, and a user without a name is one of whom WeChat gave none. */
export function sceneOf(user: User, justNow = false): Scene {
  if (!user.hasProfile) return justNow ? anonymous : stranger;
  const region = [user.country, user.province, user.city].filter(Boolean).join(' ');
  const sentence = justNow ? '很高兴认识你，下次来就不用再点按钮了。' : '欢迎回来，我们认识你。';
  return {
    ...blank,
    state: 'known',
    title: user.nickName ?? '',
    sentence,
    user,
    avatarUrl: avatarUrlOf(user) ?? '',
    region,
    language: languageOf(user),
  };
}

/** What WeChat says, in words; a language that is not listed is shown as WeChat writes it. */
function languageOf({ language }: User): string {
  const names: Record<string, string> = { zh_CN: '简体中文', zh_TW: '繁體中文', zh_HK: '繁體中文', en: 'English' };
  return names[language ?? ''] ?? language ?? '';
}

/** What to tell a person whose profile WeChat did not hand over. */
export function sceneWithoutProfile(errMsg: string): Scene {
  if (/deny|denied|cancel|privacy permission is not authorized/.test(errMsg)) return refused;
  // `api scope is not declared in the privacy agreement`: the developer's mistake, which asking again does not mend.
  if (errMsg.includes('privacy agreement')) {
    return { ...failed, sentence: '这个小程序没有在隐私保护指引里声明要用昵称和头像，请联系它的开发者。' };
  }
  return offline;
}

/** What to tell a person of a failed call. */
export function sceneOfFailure(error: unknown): Scene {
  const failure = failureOf(error);
  if (failure.kind === 'refused') return sceneOfRefusal(failure);
  return failure.retry === 'later' ? offline : { ...failed, sentence: unavailable };
}

const unavailable = '登录暂时不可用，请联系这个小程序的开发者。';
const postponed: Scene = { ...offline, title: '请稍后再试' };

function sceneOfRefusal({ reason, retry, fields }: Extract<Failure, { kind: 'refused' }>): Scene {
  switch (reason) {
    case 'PROFILE_REJECTED':
      return rejected;
    case 'CODE_INVALID':
      return {
        ...failed,
        sentence:
          '微信不认这次的登录凭证，请再试一次。如果你正在开发它：开发者工具里的 appid 和后端的 WX_APPID 多半不是同一个。',
        again: '重试',
      };
    case 'INPUT_INVALID':
      if (!fields.includes('appId')) return { ...failed, sentence: unavailable };
      return {
        ...failed,
        sentence: '后端不认识这个小程序。如果你正在开发它：后端的 WX_APPID 或 WX_APPS 里没有它的 appid。',
      };
    case 'USER_BLOCKED':
      return { ...failed, sentence: '微信认为这个账号有风险，暂时不能登录。' };
    case 'RATE_LIMITED':
    case 'WECHAT_RATE_LIMITED':
      return { ...postponed, sentence: '操作太频繁了，请过一分钟再试。' };
    default:
      if (retry === 'never') return { ...failed, sentence: unavailable };
      return { ...postponed, sentence: '服务器正忙，请过一会儿再试。你的资料没有丢失。' };
  }
}
