/** What a phone does outside the page: the words that the screen and whatever carries it (Node, a browser) share. */

/** A request of the page's, with all that `wx.request` fills in. */
export interface RequestOptions {
  url: string;
  method: string;
  header: Record<string, string>;
  body: string | null;
  timeoutMs: number;
}

/** What came back, whatever the HTTP status. */
export interface RequestAnswer {
  statusCode: number;
  header: Record<string, string>;
  body: string;
}

/** A request on its way. */
export interface RequestTask {
  answer: Promise<RequestAnswer>;
  abort(): void;
}

/** The language of the places in a profile. */
export type Lang = 'en' | 'zh_CN';

/** What `wx.getUserProfile` hands the page: sealed by WeChat, opened by the backend alone. */
export interface SealedProfile {
  rawData: string;
  signature: string;
  encryptedData: string;
  iv: string;
  userInfo: Record<string, unknown>;
}

/** Network, login and pictures. A failure rejects with an Error whose message is what follows `<api>:fail ` on a phone. */
export interface Native {
  /** Which mini program is open. */
  appId: string;
  request(options: RequestOptions): RequestTask;
  login(): Promise<{ code: string }>;
  checkSession(): Promise<void>;
  /** Who is asked for consent, as the mini program would get them: shown in WeChat's dialog before anything is handed over. */
  person(): Promise<Person>;
  getUserProfile(options: { lang: Lang }): Promise<SealedProfile>;
  /** The code of the phone number button. */
  getPhoneNumber(): Promise<{ code: string }>;
  /** What one can choose as an avatar, WeChat's own first. */
  pictures(): Promise<Picture[]>;
  /** A JPEG as a `data:` URL; without a width it stays as wide as it is. */
  compressImage(options: CompressOptions): Promise<string>;
  /** Where a picture on the network is found. */
  addressOf(url: string): string;
}

/** A picture in the phone's album; `url` is a `data:` URL. */
export interface Picture {
  name: string;
  url: string;
}

/** What to make of the picture at `url`, a `data:` URL. */
export interface CompressOptions {
  url: string;
  /** From 0 to 100. */
  quality: number;
  width?: number | undefined;
}

/** Who holds the phone, as WeChat shows them. */
export interface Person {
  user: string;
  nickName: string;
  avatarUrl: string;
  phoneNumber: string;
}

/** The mini program's storage on this phone; synchronous, since `wx.getStorageSync` is. */
export interface Drawer {
  read(key: string): string | null;
  write(key: string, value: string): void;
  remove(key: string): void;
}

/** The navigation bar of a page: app.json's `window`, overridden by the page's own JSON. */
export interface WindowStyle {
  title: string;
  barColor: string;
  textColor: 'black' | 'white';
}

/** A mini program, compiled. Paths are relative to its root and have no extension. */
export interface Program {
  pages: string[];
  /** By page. */
  windows: Record<string, WindowStyle>;
  usesPrivacyCheck: boolean;
  /** CommonJS; npm packages stand under miniprogram_npm/. */
  modules: Record<string, string>;
  /** A JavaScript expression: template path → glass-easel template. */
  templates: string;
  styles: string;
}

/** Runs a module of the mini program where it sees `scope` and ECMAScript, and nothing of the browser. */
export type Sandbox = (code: string, path: string, scope: Record<string, unknown>) => void;
