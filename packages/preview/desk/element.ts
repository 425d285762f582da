/** An element with a class and a text. */
export function element(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** The element of the page with this id, which is there. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id} on the page`);
  return found;
}

/** A picture that says nothing which the text beside it does not. */
export function image(src: string): HTMLImageElement {
  const made = document.createElement('img');
  made.src = src;
  made.alt = '';
  return made;
}

/** A text in both languages, of which the page shows its own. */
export function inBoth(chinese: string, english: string): HTMLElement[] {
  return Object.entries({ zh: chinese, en: english }).map(([language, text]) => {
    const made = element('span', '', text);
    made.lang = language;
    return made;
  });
}

/** A button with this on it. */
export function button(content: HTMLElement[], className: string, act: () => unknown): HTMLButtonElement {
  const made = document.createElement('button');
  made.className = className;
  made.append(...content);
  made.addEventListener('click', () => void act());
  return made;
}
