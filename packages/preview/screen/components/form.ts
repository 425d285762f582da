import type { ComponentSpace } from 'glass-easel';
import { hostOf } from './host.ts';

/** `<form>`: gathers its fields when a button in it submits. */
export function defineForm(space: ComponentSpace) {
  return space.defineComponent({
    is: 'wx-form',
    options: { reflectToAttributes: true },
    listeners: {
      'this.submitform'() {
        const fields = [...(hostOf(this)?.querySelectorAll('wx-input[name]') ?? [])];
        const value = Object.fromEntries(
          fields.map((field) => [field.getAttribute('name') ?? '', field.querySelector('input')?.value ?? '']),
        );
        this.triggerEvent('submit', { value });
      },
    },
  });
}
