import type { Drawer } from '../native.ts';
import type { Dialogs } from './dialogs.ts';

/** Whether the user has agreed to the privacy guide. */
export interface Privacy {
  needed(): boolean;
  agree(): void;
  /** Shows WeChat's own dialog where the user has not agreed yet; rejects when they do not. */
  ensure(): Promise<void>;
}

/** The user's agreement to the privacy guide, kept by WeChat beside the mini program's own storage. */
export function createPrivacy({
  drawer,
  dialogs,
  enabled,
}: {
  drawer: Drawer;
  dialogs: Dialogs;
  enabled: boolean;
}): Privacy {
  const key = 'wechat:privacy';
  const privacy: Privacy = {
    needed: () => enabled && drawer.read(key) === null,
    agree: () => drawer.write(key, 'agreed'),
    async ensure() {
      if (!privacy.needed()) return;
      const agreed = await dialogs.ask({
        title: '用户隐私保护提示',
        lines: ['使用前请阅读并同意《小程序用户隐私保护指引》。'],
        refuse: '拒绝',
        accept: '同意',
      });
      if (!agreed) throw new Error('privacy permission is not authorized');
      privacy.agree();
    },
  };
  return privacy;
}
