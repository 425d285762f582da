import type { Call } from './calls.ts';
import { createCalls } from './calls.ts';
import type { Lang, Native, Person, Picture } from './native.ts';
import { createNetwork } from './network.ts';
import { album } from './pictures/album.ts';
import { portraitOf } from './pictures/portraits.ts';
import { shrink } from './pictures/shrink.ts';

/** What WeChat tells the backend about a person. */
export interface PushedEvent {
  event: 'user_authorization_revoke' | 'user_authorization_cancellation';
  /** `{ RevokeInfo: '6,8' }`: what is taken back. */
  fields?: Record<string, string>;
}

/** What the phone asks of the stand-in for WeChat. */
export interface Wechat {
  person(user: string): { openid: string; phoneNumber: string };
  phone: {
    login(input: { user: string; appId: string; rotate: boolean }): { code: string };
    profile(input: { user: string; appId: string; lang: Lang; profile: { avatarUrl?: string }; anonymous: boolean }): {
      rawData: string;
      signature: string;
      encryptedData: string;
      iv: string;
      userInfo: object;
    };
    phoneNumber(input: { user: string; appId: string }): { code: string };
    checkSession(input: { user: string; appId: string }): { errMsg: string };
    rotate(input: { user: string; appId: string }): unknown;
    push(input: PushedEvent & { user: string; appId: string; url: string }): Promise<object>;
  };
}

/** What one may do to a phone from outside. */
export interface Settings {
  user: string;
  offline: boolean;
  /** Whether `wx.login` brings a new session key, as WeChat does now and then. */
  rotateOnLogin: boolean;
  /** Whether `getUserProfile` gives what new versions get since November 2022: 微信用户 and a grey avatar. */
  anonymous: boolean;
}

/** A phone, and what a test or the desk may do to it. */
export interface Phone extends Native {
  settings: Settings;
  /** Pictures in its album besides those that are in each. */
  album: Picture[];
  calls: readonly Call[];
  forgetCalls(): void;
  /** Without a user: who holds the phone, under the name that WeChat would hand over. */
  person(user?: string): Promise<Person>;
  /** WeChat changes the session key without a word to the page. */
  rotate(): void;
  /** The person takes something back in WeChat's own settings, and WeChat tells the backend. */
  push(event: PushedEvent): Promise<void>;
}

/**
 * A phone with one mini program, in Node. `hosts` are the origins that it may call, as registered with WeChat, and
 * where each of them is found; `avatarOf` gives a person's picture an address that can be reached without WeChat.
 */
export function createPhone({
  wechat,
  appId,
  user = 'xiaoming',
  hosts,
  avatarOf,
  backendUrl = '',
}: {
  wechat: Wechat;
  appId: string;
  user?: string;
  hosts: Readonly<Record<string, string>>;
  avatarOf?: (user: string) => string;
  /** Where WeChat's pushes go. */
  backendUrl?: string;
}): Phone {
  const settings: Settings = { user, offline: false, rotateOnLogin: false, anonymous: false };
  const calls = createCalls();
  const me = () => ({ user: settings.user, appId });
  const network = createNetwork({ hosts, isOffline: () => settings.offline });
  const sealed = ({ user = settings.user, anonymous = settings.anonymous, lang = 'en' as Lang }) => {
    const profile = avatarOf && !anonymous ? { avatarUrl: avatarOf(user) } : {};
    return wechat.phone.profile({ user, appId, lang, anonymous, profile });
  };

  const phone: Phone = {
    appId,
    settings,
    album: [],
    addressOf: (url) => network.addressOf(url),
    get calls() {
      return calls.all();
    },
    forgetCalls: calls.forget,
    rotate: () => void wechat.phone.rotate(me()),
    push: (event) =>
      calls.record(`push ${event.event}`, {}, async () => {
        const told = await wechat.phone.push({ ...me(), ...event, url: backendUrl });
        if (!('status' in told) || told.status !== 200) throw new Error(JSON.stringify(told));
      }),
    request: (options) => {
      const task = network.request(options);
      return { ...task, answer: calls.record('wx.request', options, () => task.answer) };
    },
    login: () =>
      calls.record('wx.login', {}, async () => {
        network.reach();
        const { code } = wechat.phone.login({ ...me(), rotate: settings.rotateOnLogin });
        return { code };
      }),
    checkSession: () =>
      calls.record('wx.checkSession', {}, async () => {
        network.reach();
        const { errMsg } = wechat.phone.checkSession(me());
        if (!errMsg.endsWith(':ok')) throw new Error(errMsg.replace(/^checkSession:fail /, ''));
      }),
    async person(named) {
      const user = named ?? settings.user;
      const anonymous = named === undefined && settings.anonymous;
      const { nickName, avatarUrl } = sealed({ user, anonymous }).userInfo as Person;
      // WeChat's grey picture is out of reach here.
      const shown = anonymous ? avatarOf?.('anonymous') : undefined;
      return { user, nickName, avatarUrl: shown ?? avatarUrl, phoneNumber: wechat.person(user).phoneNumber };
    },
    getUserProfile: ({ lang }) =>
      calls.record('wx.getUserProfile', {}, async () => {
        network.reach();
        const { rawData, signature, encryptedData, iv, userInfo } = sealed({ lang });
        return { rawData, signature, encryptedData, iv, userInfo: { ...userInfo } };
      }),
    getPhoneNumber: () =>
      calls.record('getPhoneNumber', {}, async () => {
        network.reach();
        const { code } = wechat.phone.phoneNumber(me());
        return { code };
      }),
    async pictures() {
      const own = { name: '用微信头像', url: await portraitOf(settings.user) };
      return [own, ...(await album()), ...phone.album];
    },
    compressImage: shrink,
  };
  return phone;
}
