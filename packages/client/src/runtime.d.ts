import type { Cloud } from './over-container.ts';
import type { Wx } from './wx.ts';

/** What the mini-program runtime has beside ECMAScript and this package uses. Nothing else may be taken for granted. */
declare global {
  function setTimeout(run: () => void, delayMs: number): number;
  function clearTimeout(timer: number | undefined): void;
  const wx: Wx & { cloud?: Cloud };
}
