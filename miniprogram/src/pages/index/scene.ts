import type { User } from '@guoke/client';
import { failureOf } from '@guoke/client';
import { avatarUrlOf } from '../../guoke';

/** What the page shows. One of these at a time. */
export interface Scene {
  state: 'checking' | 'new' | 'known' | 'anonymous' | 'refused' | 'offline' | 'rejected' | 'failed';
  title: string;
  sentence: string;
  /** The sentence tells of something gone wrong. */
  warns: boolean;
  /** Shows the button 获取用户数据. */
  asks: boolean;
  /** Shows the button 重试. */
  retries: boolean;
  user: User | null;
  /** Empty where there is none. */
  avatarUrl: string;
  region: string;
}

const blank = { warns: false, asks: false, retries: false, user: null, avatarUrl: '', region: '' };

export const checking: Scene = { ...blank, state: 'checking', title: '请稍候', sentence: '正在确认你是谁……' };

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

export const offline: Scene = {
  ...blank,
  state: 'offline',
  title: '连不上服务器',
  sentence: '请检查网络，过一会儿再试。你的资料没有丢失。',
  warns: true,
  retries: true,
};

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
  };
}

/** What to tell a person of a failed call. */
export function sceneOfFailure(error: unknown): Scene {
  const failure = failureOf(error);
  if (failure.kind === 'refused' && failure.reason === 'PROFILE_REJECTED') return rejected;
  if (failure.kind === 'refused' && failure.retry === 'later') {
    const busy = failure.reason === 'RATE_LIMITED' || failure.reason === 'WECHAT_RATE_LIMITED';
    const sentence = busy ? '操作太频繁了，请过一分钟再试。' : '服务器正忙，请过一会儿再试。你的资料没有丢失。';
    return { ...offline, title: '请稍后再试', sentence };
  }
  if (failure.retry !== 'never') return offline;
  const blocked = failure.kind === 'refused' && failure.reason === 'USER_BLOCKED';
  const sentence = blocked ? '微信认为这个账号有风险，暂时不能登录。' : '登录暂时不可用，请联系这个小程序的开发者。';
  return { ...offline, state: 'failed', title: '登录不成功', sentence };
}
