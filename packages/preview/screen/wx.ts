import type { Drawer, Native } from '../native.ts';
import type { Dialogs } from './dialogs.ts';
import type { Files } from './files.ts';
import type { Pages } from './pages.ts';
import type { Privacy } from './privacy.ts';
import { createRequest } from './request.ts';
import { settle, type Callbacks } from './settle.ts';
import type { TapGate } from './tap.ts';

interface Deps {
  native: Native;
  drawer: Drawer;
  dialogs: Dialogs;
  privacy: Privacy;
  pages: Pages;
  tap: TapGate;
  files: Files;
}

type Options<T = unknown> = Callbacks & T;

/** The part of `wx` that the sample and its client use, and the way back from a page. Anything else is undefined here. */
export function createWx(deps: Deps): Record<string, unknown> {
  const { native, dialogs, privacy, pages, tap } = deps;
  return {
    request: createRequest(native),
    login: (options: Options) => settle('login', options, () => native.login()),
    checkSession: (options: Options) => settle('checkSession', options, () => native.checkSession()),
    getUserProfile(options: Options<{ desc?: string; lang?: string }>) {
      const tapped = tap.inside();
      return settle('getUserProfile', options, async () => {
        if (!tapped) throw new Error('can only be invoked by user TAP gesture.');
        const { desc = '', lang } = options ?? {};
        if (desc === '') throw new Error('desc is required');
        if (Array.from(desc).length > 30) throw new Error('desc length does not meet the requirements');
        await privacy.ensure();
        const agreed = await dialogs.ask({
          title: '获取你的昵称、头像',
          lines: [desc],
          person: await native.person(),
          refuse: '拒绝',
          accept: '允许',
        });
        if (!agreed) throw new Error('auth deny');
        return native.getUserProfile({ lang: lang === 'zh_CN' ? lang : 'en' });
      });
    },
    getAccountInfoSync: () => ({ miniProgram: { appId: native.appId, envVersion: 'develop', version: '' } }),
    ...storageApis(deps),
    ...pageApis(pages),
    ...interactionApis(dialogs),
    ...fileApis(deps),

    getPrivacySetting: (options: Options) =>
      settle('getPrivacySetting', options, async () => ({
        needAuthorization: privacy.needed(),
        privacyContractName: '《小程序用户隐私保护指引》',
      })),
    requirePrivacyAuthorize: (options: Options) => settle('requirePrivacyAuthorize', options, () => privacy.ensure()),
    openPrivacyContract: (options: Options) =>
      settle('openPrivacyContract', options, async () => {
        await dialogs.ask({
          title: '小程序用户隐私保护指引',
          lines: ['在微信里，这里显示开发者填写的指引。'],
          accept: '关闭',
        });
      }),
  };
}

function storageApis({ drawer }: Deps): Record<string, unknown> {
  const prefix = 'storage:';
  return {
    getStorageSync(key: string): unknown {
      const stored = drawer.read(prefix + key);
      return stored === null ? '' : JSON.parse(stored);
    },
    setStorageSync: (key: string, data: unknown) => drawer.write(prefix + key, JSON.stringify(data ?? '')),
    removeStorageSync: (key: string) => drawer.remove(prefix + key),
  };
}

function fileApis({ native, files }: Deps): Record<string, unknown> {
  type Read = Options<{ filePath: string; encoding?: string }>;
  type Compress = Options<{ src: string; quality?: number; compressedWidth?: number }>;
  const fileSystem = {
    /** Always with callbacks, which is all it has in WeChat. */
    readFile: (options: Read) =>
      void settle('readFile', { complete() {}, ...options }, async () => {
        if (options.encoding !== 'base64') throw new Error('the preview reads files as base64 only');
        return { data: files.base64Of(options.filePath) };
      }),
  };
  return {
    getFileSystemManager: () => fileSystem,
    compressImage: (options: Compress) =>
      settle('compressImage', options, async () => {
        const { src, quality = 80, compressedWidth: width } = options;
        return { tempFilePath: files.keep(await native.compressImage({ url: files.urlOf(src), quality, width })) };
      }),
  };
}

function interactionApis(dialogs: Dialogs): Record<string, unknown> {
  type Modal = Options<{
    title?: string;
    content?: string;
    showCancel?: boolean;
    cancelText?: string;
    confirmText?: string;
  }>;
  return {
    showModal: (options: Modal) =>
      settle('showModal', options, async () => {
        const { title = '', content = '', showCancel = true, cancelText = '取消', confirmText = '确定' } = options;
        for (const [name, text] of Object.entries({ cancelText, confirmText })) {
          if (Array.from(text).length > 4) {
            throw new Error(`parameter error: ${name} length should not larger than 4 Chinese characters`);
          }
        }
        const buttons = { accept: confirmText, ...(showCancel && { refuse: cancelText }) };
        const said = await dialogs.ask({ title, lines: content === '' ? [] : [content], ...buttons });
        return { confirm: said, cancel: !said };
      }),
    setClipboardData: (options: Options<{ data: string }>) =>
      settle('setClipboardData', options, async () => {
        // A page in a frame may be kept from the clipboard, and WeChat's words are shown all the same.
        await navigator.clipboard?.writeText(options.data).catch(() => undefined);
        dialogs.toast('内容已复制');
      }),
  };
}

function pageApis(pages: Pages): Record<string, unknown> {
  type Target = Options<{ url: string }>;
  return {
    navigateTo: (options: Target) => settle('navigateTo', options, async () => pages.open(options.url)),
    navigateBack: (options?: Options<{ delta?: number }>) =>
      settle('navigateBack', options, async () => pages.back(options?.delta ?? 1)),
  };
}
