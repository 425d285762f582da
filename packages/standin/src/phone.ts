import type { z } from 'zod';
import type { AccessTokens } from './access-tokens.ts';
import type { Codes } from './codes.ts';
import { type FaultInput, type Faults, faultInput } from './faults.ts';
import type { App, People, Person } from './people.ts';
import {
  who,
  loginInput,
  profileInput,
  phoneNumberInput,
  openDataInput,
  pushInput,
  blockInput,
  resetInput,
} from './phone-inputs.ts';
import { type Profile, anonymousProfile, defaultProfile } from './profile.ts';
import { type PushTarget, sendPush } from './push.ts';
import { encrypt, type Sealed, sealProfile } from './seal.ts';
import type { Stats, Traffic } from './traffic.ts';

/** Whether `wx.login` gives the user a new session key. */
export type RotatePolicy = 'never' | 'always' | 'onRequest';

/** The caller asked for something that cannot be; the message tells what, in one sentence. */
export class PhoneError extends Error {}

/** What happens on a phone, and what a test may do behind WeChat's back. Wrong input throws a `PhoneError`. */
export interface Phone {
  login(input: z.input<typeof loginInput>): { code: string; errMsg: 'login:ok' };
  profile(input: z.input<typeof profileInput>): Sealed & { userInfo: Profile; errMsg: string; code?: string };
  /** The button `open-type="getPhoneNumber"`: its code is not one of `login`. */
  phoneNumber(input: z.input<typeof phoneNumberInput>): { code: string; errMsg: 'getPhoneNumber:ok' };
  /** `wx.pluginLogin`: its code is not one of `login`. */
  pluginLogin(input: z.input<typeof who>): { code: string; errMsg: 'pluginLogin:ok' };
  /** `wx.getWeRunData`, the group of a share and the like: data sealed for this user, and not signed. */
  openData(input: z.input<typeof openDataInput>): Pick<Sealed, 'encryptedData' | 'iv'> & { errMsg: 'getOpenData:ok' };
  /** WeChat pushes an event about the user to the backend. Resolves to what the backend answered. */
  push(input: z.input<typeof pushInput>): Promise<{ status: number; answer: string }>;
  checkSession(input: z.input<typeof who>): { errMsg: string };
  rotate(input: z.input<typeof who>): { rotated: true };
  block(input: z.input<typeof blockInput>): { blocked: boolean };
  fault(input: FaultInput): { ordered: true };
  stats(input?: Record<string, never>): Stats;
  reset(input?: z.input<typeof resetInput>): { reset: 'all' | 'faults' | 'stats' };
}

interface Deps {
  people: People;
  codes: Codes;
  phoneCodes: Codes;
  pluginCodes: Codes;
  accessTokens: AccessTokens;
  faults: Faults;
  traffic: Traffic;
  defaultAppId: string;
  rotatePolicy: RotatePolicy;
  pushTarget: PushTarget;
  now: () => number;
}

/** The same functions as `Phone`, for input that is not validated yet. */
export type PhoneOfAnything = { [Name in keyof Phone]: (input: unknown) => ReturnType<Phone[Name]> };

/** The phone's side over what WeChat's side knows. */
export function createPhone(deps: Deps): PhoneOfAnything {
  const { people, codes, phoneCodes, pluginCodes, accessTokens, faults, traffic, defaultAppId, rotatePolicy, now } =
    deps;
  const findApp = (id = defaultAppId): App =>
    people.app(id) ?? fail(`appId: the stand-in was started without the app ${id}`);
  const find = (input: { user: string; appId?: string | undefined }): Person =>
    people.find(input.user, findApp(input.appId));

  function login(person: Person, rotate = rotatePolicy === 'always'): string {
    if (rotate && rotatePolicy === 'never') fail('rotate: the stand-in was started with rotate: never');
    if (rotate) people.rotate(person);
    person.keyAtLogin = person.sessionKey;
    return codes.mint(person);
  }

  return {
    login: checked(loginInput, (input) => ({ code: login(find(input), input.rotate), errMsg: 'login:ok' })),
    profile: checked(profileInput, (input) => {
      const person = find(input);
      const { sessionKey, appId, openid, unionid } = person;
      const userInfo = {
        ...(input.anonymous ? anonymousProfile : defaultProfile(input.user, input.lang)),
        ...input.profile,
      };
      const timestampSeconds = input.timestamp ?? Math.floor(now() / 1000);
      const ids = input.api === 'getUserInfo' ? { ids: { openid, unionid } } : {};
      return {
        ...sealProfile({ userInfo, appId, sessionKey, timestampSeconds, ...ids }),
        userInfo,
        errMsg: `${input.api}:ok`,
        ...(input.login && { code: login(person) }),
      };
    }),
    phoneNumber: checked(phoneNumberInput, ({ phoneNumber, countryCode, ...input }) => {
      const person = find(input);
      if (phoneNumber !== undefined) person.phoneNumber = phoneNumber;
      if (countryCode !== undefined) person.countryCode = countryCode;
      return { code: phoneCodes.mint(person), errMsg: 'getPhoneNumber:ok' };
    }),
    pluginLogin: checked(who, (input) => ({ code: pluginCodes.mint(find(input)), errMsg: 'pluginLogin:ok' })),
    openData: checked(openDataInput, ({ data, timestamp, ...input }) => {
      const { appId, sessionKey } = find(input);
      const watermark = { timestamp: timestamp ?? Math.floor(now() / 1000), appid: appId };
      return { ...encrypt(JSON.stringify({ ...data, watermark }), sessionKey), errMsg: 'getOpenData:ok' };
    }),
    push: checked(pushInput, async ({ event, fields, format, url, token, aesKey, ...input }) => {
      const { appId, openid } = find(input);
      const timestampSeconds = Math.floor(now() / 1000);
      const target = { ...deps.pushTarget, ...(token && { token }), ...(aesKey && { aesKey }) };
      const address = new URL(url ?? target.url);
      if (address.pathname === '/') address.pathname = `/wechat/push/${appId}`;
      const message = {
        ToUserName: 'gh_0123456789ab',
        FromUserName: 'oWeChatsOwnOpenid0000000000',
        CreateTime: timestampSeconds,
        MsgType: 'event',
        Event: event,
        OpenID: openid,
        AppID: appId,
        ...fields,
      };
      try {
        return await sendPush({ fields: message, format, appId, timestampSeconds }, { ...target, url: address.href });
      } catch {
        return fail(`push: no answer from ${address.origin}`);
      }
    }),
    checkSession: checked(who, (input) => {
      const { sessionKey, keyAtLogin } = find(input);
      return {
        errMsg: sessionKey === keyAtLogin ? 'checkSession:ok' : 'checkSession:fail session time out, need relogin',
      };
    }),
    rotate: checked(who, (input) => {
      people.rotate(find(input));
      return { rotated: true };
    }),
    block: checked(blockInput, (input) => {
      find(input).blocked = input.blocked;
      return { blocked: input.blocked };
    }),
    fault: checked(faultInput, (rule) => {
      if (!faults.add(rule)) fail('there are too many faults already; POST /phone/reset forgets them');
      return { ordered: true };
    }),
    stats: () => traffic.stats(),
    reset: checked(resetInput.prefault({}), ({ what }) => {
      if (what !== 'stats') faults.reset();
      if (what !== 'faults') traffic.reset();
      if (what === 'all') [people, codes, phoneCodes, pluginCodes, accessTokens].forEach((state) => state.reset());
      return { reset: what };
    }),
  };
}

function checked<Schema extends z.ZodType, Result>(schema: Schema, act: (input: z.output<Schema>) => Result) {
  return (input: unknown): Result => {
    const parsed = schema.safeParse(input);
    return parsed.success ? act(parsed.data) : fail(parsed.error.issues.map(sentence).join('; '));
  };
}

function sentence({ path, message }: { path: PropertyKey[]; message: string }): string {
  return path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message;
}

function fail(message: string): never {
  throw new PhoneError(message);
}
