import type { ComponentSpace } from 'glass-easel';

/** Tells the page what came of it. */
type Tell = (event: string, detail: object) => void;

/** What a button with an `open-type` does when it is tapped, by that type. */
export type OpenTypes = Readonly<Record<string, (tell: Tell) => void>>;

/** `<button>`: submits its form, and opens what its `open-type` names. */
export function defineButton(space: ComponentSpace, openTypes: OpenTypes) {
  return space.defineComponent({
    is: 'wx-button',
    options: { reflectToAttributes: true },
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
        openTypes[openType]?.((event, detail) => this.triggerEvent(event, detail));
      },
    },
  });
}
