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

/** A button that says what it does in Chinese, and again in smaller letters. */
export function button(label: string, note: string, className: string, act: () => unknown): HTMLButtonElement {
  const made = document.createElement('button');
  made.className = className;
  made.append(element('span', '', label), element('small', '', note));
  made.addEventListener('click', () => void act());
  return made;
}
