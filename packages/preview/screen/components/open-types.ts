import type { Native } from '../../native.ts';
import type { Dialogs } from '../dialogs.ts';
import type { Files } from '../files.ts';
import type { Privacy } from '../privacy.ts';
import { settle } from '../settle.ts';
import { createAvatarChooser } from './avatar-chooser.ts';
import type { OpenTypes } from './button.ts';

interface Deps {
  native: Native;
  dialogs: Dialogs;
  privacy: Privacy;
  files: Files;
}

/** What the buttons with an `open-type` do that the preview knows. */
export function createOpenTypes(deps: Deps): OpenTypes {
  const { native, dialogs, privacy } = deps;
  const chooseAvatar = createAvatarChooser(deps);

  async function getPhoneNumber(): Promise<{ code: string }> {
    await privacy.ensure();
    const { phoneNumber } = await native.person();
    const agreed = await dialogs.ask({
      title: '申请获取并验证你的手机号',
      lines: ['同意后，这个小程序会得到你的微信绑定号码：', phoneNumber],
      refuse: '不允许',
      accept: '允许',
    });
    if (!agreed) throw new Error('user deny');
    return native.getPhoneNumber();
  }

  return {
    agreePrivacyAuthorization(tell) {
      privacy.agree();
      tell('agreeprivacyauthorization', {});
    },
    chooseAvatar(tell) {
      chooseAvatar().then(
        (avatarUrl) => avatarUrl !== null && tell('chooseavatar', { avatarUrl }),
        // To the page it is as if the sheet had been closed.
        (error: unknown) => console.error(error),
      );
    },
    getPhoneNumber(tell) {
      const answer = (detail: object) => tell('getphonenumber', detail);
      void settle('getPhoneNumber', { success: answer, fail: answer }, getPhoneNumber);
    },
  };
}
