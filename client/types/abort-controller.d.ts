/** Says whether, and why, the one who asked has lost interest. */
export interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}
/**
 * The part of the web's `AbortController` that tRPC needs for every call and the mini-program runtime lacks: the build
 * puts it wherever the bundle says `AbortController`. A class because it is called with `new`.
 */
export declare class AbortController {
  readonly signal: AbortSignal;
  readonly abort: (reason?: unknown) => void;
  constructor();
}
