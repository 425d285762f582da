import type { Person, WindowStyle } from '../native.ts';

/** What a dialog asks. */
export interface Question {
  title: string;
  lines: string[];
  person?: Person;
  /** Without it there is one button only. */
  refuse?: string;
  accept: string;
}

/** What WeChat itself draws over and above a page. */
export interface Dialogs {
  showBar(style: WindowStyle | undefined, canGoBack: boolean): void;
  onBack(listener: () => void): void;
  /** Resolves to whether the user accepted. */
  ask(question: Question): Promise<boolean>;
  /** A line that goes by itself. */
  toast(text: string): void;
  /** Pictures side by side, lines below each other. Resolves to the value of the one chosen, or to null. */
  choose<T>(choices: ReadonlyArray<{ text: string; picture?: string; value: T }>): Promise<T | null>;
}

/** Draws WeChat's own part of the screen: the navigation bar and dialogs. */
export function createDialogs(): Dialogs {
  const bar = element('div', 'wechat-bar');
  const back = element('span', 'wechat-back', '‹');
  const caption = element('span', 'wechat-title');
  bar.append(back, caption, element('span', 'wechat-capsule', '•••　◎'));
  document.body.prepend(bar);

  function sheet<T>(className: string, fill: (panel: HTMLElement, close: (result: T) => void) => void): Promise<T> {
    return new Promise((resolve) => {
      const shade = element('div', 'wechat-shade');
      const panel = element('div', className);
      shade.append(panel);
      fill(panel, (result) => {
        shade.remove();
        resolve(result);
      });
      document.body.append(shade);
    });
  }

  return {
    showBar(style, canGoBack) {
      caption.textContent = style?.title ?? '';
      bar.style.background = style?.barColor ?? '';
      bar.dataset['text'] = style?.textColor ?? 'black';
      back.hidden = !canGoBack;
    },
    onBack: (listener) => back.addEventListener('click', listener),
    ask: ({ title, lines, person, refuse, accept }) =>
      sheet('wechat-dialog', (panel, close) => {
        panel.append(element('div', 'wechat-dialog-title', title));
        for (const line of lines) panel.append(element('div', 'wechat-dialog-line', line));
        if (person) panel.append(personCard(person));
        const buttons = element('div', 'wechat-dialog-buttons');
        if (refuse !== undefined) buttons.append(button('wechat-refuse', refuse, () => close(false)));
        buttons.append(button('wechat-accept', accept, () => close(true)));
        panel.append(buttons);
      }),
    toast(text) {
      const made = element('div', 'wechat-toast', text);
      document.body.append(made);
      setTimeout(() => made.remove(), 1500);
    },
    choose: (choices) =>
      sheet('wechat-actions', (panel, close) => {
        const pictures = element('div', 'wechat-pictures');
        panel.append(pictures);
        for (const { text, picture, value } of choices) {
          const choice = button(picture === undefined ? 'wechat-action' : 'wechat-picture', '', () => close(value));
          if (picture !== undefined) choice.append(image(picture));
          choice.append(element('span', '', text));
          (picture === undefined ? panel : pictures).append(choice);
        }
        panel.append(button('wechat-action', '取消', () => close(null)));
      }),
  };
}

function personCard({ nickName, avatarUrl }: Person): HTMLElement {
  const card = element('div', 'wechat-person');
  card.append(image(avatarUrl), element('span', '', nickName));
  return card;
}

function image(src: string): HTMLElement {
  const made = document.createElement('img');
  made.src = src;
  return made;
}

function button(className: string, text: string, act: () => void): HTMLElement {
  const made = element('div', className, text);
  made.addEventListener('click', act);
  return made;
}

function element(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
