/** Says whether, and why, the one who asked has lost interest. */
export interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}

function createSignal(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const listeners = new Set<() => void>();
  let aborted = false;
  let reason: unknown;
  const signal: AbortSignal = {
    get aborted() {
      return aborted;
    },
    get reason() {
      return reason;
    },
    addEventListener(_type, listener) {
      if (!aborted) listeners.add(listener);
    },
    removeEventListener(_type, listener) {
      listeners.delete(listener);
    },
    throwIfAborted() {
      if (aborted) throw reason;
    },
  };
  return {
    signal,
    abort(why) {
      if (aborted) return;
      aborted = true;
      reason = why;
      const told = [...listeners];
      listeners.clear();
      for (const listener of told) listener();
    },
  };
}

/**
 * The part of the web's `AbortController` that tRPC needs for every call and the mini-program runtime lacks: the build
 * puts it wherever the bundle says `AbortController`. A class because it is called with `new`.
 */
export class AbortController {
  readonly signal: AbortSignal;
  readonly abort: (reason?: unknown) => void;

  constructor() {
    const { signal, abort } = createSignal();
    this.signal = signal;
    this.abort = (reason = Object.assign(new Error('Aborted'), { name: 'AbortError' })) => abort(reason);
  }
}
