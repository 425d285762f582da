import type { ComponentSpace, GeneralComponent } from 'glass-easel';
import type { Native } from '../native.ts';
import type { Dialogs } from './dialogs.ts';
import type { Files } from './files.ts';
import type { Privacy } from './privacy.ts';
import { settle } from './settle.ts';

interface Deps {
  space: ComponentSpace;
  native: Native;
  dialogs: Dialogs;
  privacy: Privacy;
  files: Files;
}

/** The built-in components that do more than a `<div>`; `view` and `text` are plain nodes. Properties become attributes, for CSS. */
export function registerBuiltins({ space, native, dialogs, privacy, files }: Deps): void {
  const options = { reflectToAttributes: true };

  const image = space.defineComponent({
    is: 'wx-image',
    options,
    properties: { src: String, mode: String },
    lifetimes: {
      created() {
        const img = document.createElement('img');
        img.addEventListener('error', () => img.removeAttribute('src'));
        hostOf(this).append(img);
      },
    },
    observers: {
      src(src: string) {
        const img = hostOf(this).querySelector('img');
        if (img && src) img.src = native.addressOf(files.urlOf(src));
      },
    },
  });

  const input = space.defineComponent({
    is: 'wx-input',
    options,
    properties: {
      value: String,
      type: String,
      name: String,
      placeholder: String,
      maxlength: Number,
      disabled: Boolean,
    },
    lifetimes: {
      created() {
        const field = document.createElement('input');
        hostOf(this).append(field);
        for (const type of ['input', 'change']) {
          field.addEventListener(type, (event) => {
            // The browser's own event would reach the page as a second one, without WeChat's detail.
            event.stopPropagation();
            if (type === 'input') this.triggerEvent('input', { value: field.value });
          });
        }
        field.addEventListener('blur', () => this.triggerEvent('blur', { value: field.value }));
        field.addEventListener('focus', () => {
          if (hostOf(this).getAttribute('type') === 'nickname') privacy.ensure().catch(() => field.blur());
        });
      },
    },
    observers: {
      value: setField('value'),
      placeholder: setField('placeholder'),
      maxlength(limit: number) {
        const field = fieldOf(this);
        if (field && limit > 0) field.maxLength = limit;
      },
      disabled(disabled: boolean) {
        const field = fieldOf(this);
        if (field) field.disabled = disabled;
      },
    },
  });

  const form = space.defineComponent({
    is: 'wx-form',
    options,
    listeners: {
      'this.submitform'() {
        const fields = [...hostOf(this).querySelectorAll('wx-input[name]')];
        const value = Object.fromEntries(
          fields.map((field) => [field.getAttribute('name') ?? '', field.querySelector('input')?.value ?? '']),
        );
        this.triggerEvent('submit', { value });
      },
    },
  });

  const button = space.defineComponent({
    is: 'wx-button',
    options,
    properties: {
      type: String,
      size: String,
      plain: Boolean,
      disabled: Boolean,
      loading: Boolean,
      formType: String,
      openType: String,
      hoverClass: String,
    },
    listeners: {
      'this.tap'() {
        const { openType, formType } = this.data;
        if (formType === 'submit') this.triggerEvent('submitform', {}, { bubbles: true, composed: true });
        if (openType === 'agreePrivacyAuthorization') {
          privacy.agree();
          this.triggerEvent('agreeprivacyauthorization', {});
        }
        if (openType === 'chooseAvatar') void chooseAvatar(this);
        if (openType === 'getPhoneNumber') getPhoneNumber(this);
      },
    },
  });

  for (const [tag, component] of Object.entries({ image, input, form, button })) {
    space.setGlobalUsingComponent(`wx-${tag}`, component as never);
  }

  async function chooseAvatar(button: Pick<GeneralComponent, 'triggerEvent'>): Promise<void> {
    try {
      await privacy.ensure();
    } catch {
      return;
    }
    const pictures = await native.pictures();
    const choice = await dialogs.choose<string | typeof pickPicture>([
      ...pictures.map(({ name, url }) => ({ text: name, picture: url, value: url })),
      { text: '从电脑里选择', value: pickPicture },
    ]);
    const url = typeof choice === 'function' ? await choice() : choice;
    if (url !== null) button.triggerEvent('chooseavatar', { avatarUrl: files.keep(url) });
  }

  function getPhoneNumber(button: Pick<GeneralComponent, 'triggerEvent'>): void {
    const answer = (detail: object) => button.triggerEvent('getphonenumber', detail);
    void settle('getPhoneNumber', { success: answer, fail: answer }, async () => {
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
    });
  }
}

function hostOf(component: unknown): HTMLElement {
  return (component as GeneralComponent).getBackendElement() as unknown as HTMLElement;
}

function fieldOf(component: unknown): HTMLInputElement | null {
  return hostOf(component).querySelector('input');
}

function setField(name: 'value' | 'placeholder'): (this: unknown, value: string) => void {
  return function (value) {
    const field = fieldOf(this);
    if (field && field[name] !== value) field[name] = value;
  };
}

/** A file of the computer on which the preview runs, as a `data:` URL. */
function pickPicture(): Promise<string | null> {
  return new Promise((resolve) => {
    const picker = document.createElement('input');
    picker.type = 'file';
    picker.accept = 'image/*';
    picker.addEventListener('cancel', () => resolve(null));
    picker.addEventListener('change', () => {
      const file = picker.files?.[0];
      const reader = new FileReader();
      reader.addEventListener('load', () => resolve(reader.result as string));
      reader.addEventListener('error', () => resolve(null));
      if (file) reader.readAsDataURL(file);
    });
    picker.click();
  });
}
