import { JSDOM } from 'jsdom';
import { bundle } from './bundle.ts';
import type { Drawer, Native, Program } from './native.ts';
import { createBareSandbox } from './bare.ts';

/** The phone's screen as a test sees and touches it. */
export interface Screen {
  /** All text that is visible, dialogs of WeChat included. */
  text(): string;
  /** Taps the innermost visible element that holds this text. */
  tap(text: string): void;
  /** Taps what the selector finds first. */
  tapElement(selector: string): void;
  /** Types into the field with this placeholder. */
  type(placeholder: string, value: string): void;
  /** Resolves once the text is visible, and tells what was there instead when it never was. */
  see(text: string, timeoutMs?: number): Promise<void>;
  document: Document;
  /** Uncaught errors of the mini program's code. */
  errors: unknown[];
  close(): void;
}

let runtime: Promise<string> | undefined;

/** Launches the mini program in jsdom. Launch again with the same drawer for what a user does who comes back. */
export async function launchInJsdom({
  program,
  native,
  drawer,
}: {
  program: Program;
  native: Native;
  drawer: Drawer;
}): Promise<Screen> {
  const code = await (runtime ??= bundle('./screen/app.ts', 'screen'));
  const { window } = new JSDOM('<!doctype html><body></body>', { runScripts: 'outside-only', pretendToBeVisual: true });
  const { document } = window;
  const errors: unknown[] = [];
  window.eval(`${code}\nwindow.launchApp = screen.launchApp`);
  window['launchApp']({
    program,
    native,
    drawer,
    sandbox: createBareSandbox(),
    onError: (error: unknown) => errors.push(error),
  });

  function touch(target: Element): void {
    for (const type of ['mousedown', 'mouseup', 'click']) {
      target.dispatchEvent(new window.MouseEvent(type, { bubbles: true, composed: true }));
    }
  }

  const screen: Screen = {
    document,
    errors,
    text: () => visibleText(document.body),
    tap(text) {
      const target = find(document.body, text);
      if (!target) throw new Error(`nothing to tap says "${text}"; the screen says:\n${screen.text()}`);
      touch(target);
    },
    tapElement(selector) {
      const target = document.querySelector(selector);
      if (!target) throw new Error(`there is no ${selector} on the screen`);
      touch(target);
    },
    type(placeholder, value) {
      const field = document.querySelector<HTMLInputElement>(`input[placeholder="${placeholder}"]`);
      if (!field) throw new Error(`there is no field "${placeholder}"`);
      field.value = value;
      field.dispatchEvent(new window.Event('input', { bubbles: true }));
    },
    async see(text, timeoutMs = 20_000) {
      for (
        const end = Date.now() + timeoutMs;
        !screen.text().includes(text);
        await new Promise((next) => setTimeout(next, 5))
      ) {
        if (Date.now() > end) throw new Error(`"${text}" never appeared; the screen says:\n${screen.text()}`);
      }
    },
    close: () => window.close(),
  };
  return screen;
}

/** Storage that lives as long as a test wants. */
export function createDrawer(): Drawer {
  const kept = new Map<string, string>();
  return {
    read: (key) => kept.get(key) ?? null,
    write: (key, value) => void kept.set(key, value),
    remove: (key) => void kept.delete(key),
  };
}

function visibleText(node: Element): string {
  if (node.hasAttribute('hidden') || node.tagName === 'STYLE') return '';
  return [...node.childNodes]
    .map((child) =>
      child.nodeType === 3
        ? (child.textContent ?? '').trim()
        : child.nodeType === 1
          ? visibleText(child as Element)
          : '',
    )
    .filter((text) => text !== '')
    .join('\n');
}

/** The last one found stands on top: dialogs come after pages. */
function find(node: Element, text: string): Element | undefined {
  if (!visibleText(node).includes(text)) return undefined;
  for (const child of [...node.children].toReversed()) {
    const found = find(child, text);
    if (found) return found;
  }
  return node;
}
