import type { ComponentSpace } from 'glass-easel';
import type { Privacy } from '../privacy.ts';
import { hostOf } from './host.ts';

interface Deps {
  space: ComponentSpace;
  privacy: Privacy;
}

/** `<input>`: a field of the browser's, with WeChat's events. */
export function defineInput({ space, privacy }: Deps) {
  return space.defineComponent({
    is: 'wx-input',
    options: { reflectToAttributes: true },
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
        hostOf(this)?.append(field);
        for (const type of ['input', 'change']) {
          field.addEventListener(type, (event) => {
            // The browser's own event would reach the page as a second one, without WeChat's detail.
            event.stopPropagation();
            if (type === 'input') this.triggerEvent('input', { value: field.value });
          });
        }
        field.addEventListener('blur', () => this.triggerEvent('blur', { value: field.value }));
        field.addEventListener('focus', () => {
          if (this.data.type === 'nickname') privacy.ensure().catch(() => field.blur());
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
}

function fieldOf(component: unknown): HTMLInputElement | null {
  return hostOf(component)?.querySelector('input') ?? null;
}

function setField(name: 'value' | 'placeholder'): (this: unknown, value: string) => void {
  return function (value) {
    const field = fieldOf(this);
    if (field && field[name] !== value) field[name] = value;
  };
}
