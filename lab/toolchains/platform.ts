import type { createPhone } from '../../packages/client/test/phone.ts';

type Phone = ReturnType<typeof createPhone>;

/** The phone's `wx` with what Taro's and uni-app's own runtimes ask of it before the first page is there. */
export function createPlatform(phone: Phone, appId: string): object {
  const system = () => ({
    platform: 'ios',
    SDKVersion: '3.5.8',
    language: 'zh_CN',
    screenWidth: 390,
    windowWidth: 390,
    pixelRatio: 3,
  });
  const nothing = () => ({});
  const listeners = ['onUnhandledRejection', 'onError', 'onPageNotFound', 'onThemeChange', 'onAppShow', 'onAppHide'];
  const more = ['onWindowResize', 'offWindowResize', 'onBeforeUnload', 'getLaunchOptionsSync', 'getEnterOptionsSync'];
  return {
    ...Object.fromEntries([...listeners, ...more].map((name) => [name, nothing])),
    ...phone.wx,
    getSystemInfoSync: system,
    getDeviceInfo: system,
    getAppBaseInfo: system,
    getWindowInfo: system,
    getAccountInfoSync: () => ({ miniProgram: { appId } }),
    canIUse: () => true,
    nextTick: (run: () => void) => void setTimeout(run),
  };
}
