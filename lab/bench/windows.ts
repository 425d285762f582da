import type { RequestKind } from './requests.ts';

/** What is measured of each contestant in each round. */
export interface Window {
  /** For `--only`. */
  name: string;
  title: string;
  request: RequestKind;
  seconds: number;
  /** Whether the server has had no call for a while: else it is under load since the window before. */
  isBurst: boolean;
}

const phoneLogin = { procedure: 'auth.login', form: 'phone', calls: 1 } as const;

/** In the order of a visit: the burst meets a server that has been silent, the others one that is warm. */
export const windows = [
  { name: 'burst', title: 'phone: auth.login, in bursts', request: phoneLogin, seconds: 2, isBurst: true },
  { name: 'login', title: 'phone: auth.login', request: phoneLogin, seconds: 2.5, isBurst: false },
  {
    name: 'checkUser',
    title: 'phone: auth.checkUser',
    request: { procedure: 'auth.checkUser', form: 'phone', calls: 1 },
    seconds: 1.5,
    isBurst: false,
  },
  {
    name: 'me',
    title: 'phone: user.me',
    request: { procedure: 'user.me', form: 'phone', calls: 1 },
    seconds: 1.5,
    isBurst: false,
  },
  {
    name: 'five',
    title: 'phone: five user.me in a batch',
    request: { procedure: 'user.me', form: 'phone', calls: 5 },
    seconds: 1.5,
    isBurst: false,
  },
  {
    name: 'plain-login',
    title: 'plain: auth.login',
    request: { procedure: 'auth.login', form: 'plain', calls: 1 },
    seconds: 1.5,
    isBurst: false,
  },
  {
    name: 'plain-me',
    title: 'plain: user.me',
    request: { procedure: 'user.me', form: 'plain', calls: 1 },
    seconds: 1.5,
    isBurst: false,
  },
] as const satisfies readonly Window[];

export type WindowName = (typeof windows)[number]['name'];
