import type { AssociatedBackend, CodeSpace } from 'glass-easel-miniprogram-adapter';
import type { Program, WindowStyle } from '../native.ts';

type PageInstance = Record<string, unknown>;

interface Entry {
  path: string;
  host: HTMLElement;
  instance: PageInstance;
  release(): void;
}

/** The pages on the screen, one over the other. Each fails in the words of a phone. */
export interface Pages {
  current(): PageInstance[];
  open(url: string): void;
  /** Leaves `delta` pages, never the first one. */
  back(delta: number): void;
}

/** WeChat's page stack: at most ten pages, the one on top shown, each told of its life. */
export function createPages({
  program,
  space,
  backend,
  onShow,
}: {
  program: Program;
  space: CodeSpace;
  backend: AssociatedBackend;
  /** Told of the page that is on top from now on. */
  onShow: (style: WindowStyle | undefined, canGoBack: boolean) => void;
}): Pages {
  const stack: Entry[] = [];
  const container = document.createElement('div');
  container.className = 'wx-pages';
  document.body.append(container);

  return {
    current: () => stack.map((entry) => entry.instance),
    open(url) {
      if (stack.length >= 10) throw new Error('webview count limit exceed');
      const path = resolve(url);
      const below = stack.at(-1);
      tell(below, 'onHide');
      if (below) below.host.hidden = true;
      push(path, url);
    },
    back(delta) {
      if (stack.length < 2) throw new Error('cannot navigate back at first page.');
      for (let left = Math.min(delta, stack.length - 1); left > 0; left -= 1) drop();
      const top = stack.at(-1);
      if (!top) return;
      top.host.hidden = false;
      show(top);
    },
  };

  function push(path: string, url: string): void {
    const query = parseQuery(url);
    const root = backend.createRoot('wx-page', space, `/${path}`);
    const host = root.getComponent().getBackendElement();
    if (!(host instanceof HTMLElement)) throw new Error('a page needs a DOM');
    host.dataset['path'] = path;
    const instance = root.get() as unknown as PageInstance;
    Object.assign(instance, { route: path, options: query });
    const entry: Entry = {
      path,
      host,
      instance,
      release() {
        root.release();
        host.remove();
      },
    };
    stack.push(entry);
    tell(entry, 'onLoad', query);
    show(entry);
    const placeholder = document.createElement('div');
    container.append(placeholder);
    root.attach(container as never, placeholder as never);
    setTimeout(() => tell(entry, 'onReady'));
  }

  function drop(): void {
    const entry = stack.pop();
    tell(entry, 'onUnload');
    entry?.release();
  }

  function show(entry: Entry): void {
    onShow(program.windows[entry.path], stack.length > 1);
    tell(entry, 'onShow');
  }

  function resolve(url: string): string {
    const [address = ''] = url.split('?');
    const path = new URL(address, `http://miniprogram/${stack.at(-1)?.path ?? ''}`).pathname.slice(1);
    if (!program.pages.includes(path)) throw new Error(`page "${path}" is not found`);
    return path;
  }
}

function tell(entry: Entry | undefined, hook: string, ...args: unknown[]): void {
  const run = entry?.instance[hook];
  if (typeof run === 'function') run.apply(entry?.instance, args);
}

function parseQuery(url: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(url.split('?')[1] ?? ''));
}
