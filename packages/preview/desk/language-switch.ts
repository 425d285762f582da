import { button, element } from './element.ts';

const languages = { zh: '中文', en: 'English' };
const key = 'language of the desk';

/** A button for each language of the page. What was chosen holds in this browser. */
export function languageSwitch(): HTMLButtonElement[] {
  const root = document.documentElement;
  const buttons = Object.entries(languages).map(([language, name]) => {
    const made = button([element('span', '', name)], '', () => choose(language));
    made.lang = language;
    return made;
  });

  function choose(language: string): void {
    root.lang = language;
    localStorage.setItem(key, language);
    show();
  }

  function show(): void {
    for (const made of buttons) made.ariaPressed = String(made.lang === root.lang);
  }

  root.lang = localStorage.getItem(key) ?? root.lang;
  show();
  return buttons;
}
