interface ProgressOptions {
  /** What is counted: `users`. */
  noun: string;
  terminal?: { isTTY?: boolean; write(text: string): unknown };
  now?: () => number;
}

export interface Progress {
  /** `what` names the step where the work has several. */
  show(done: number, total: number, what?: string): void;
  /** Leaves the bar as it is, so that what is printed next begins a line. */
  end(): void;
}

/** Says how far a piece of work is: a bar on a terminal, elsewhere a line for each tenth. */
export function createProgress({ noun, terminal = process.stderr, now = Date.now }: ProgressOptions): Progress {
  let current: string | undefined;
  let tenths = -1;
  let drawnAt = 0;
  let isOpen = false;
  let startedAt = now();

  function end(): void {
    if (isOpen) terminal.write('\n');
    isOpen = false;
  }

  return {
    show(done, total, what = noun) {
      const share = total === 0 ? 1 : Math.min(1, done / total);
      const isNew = what !== current;
      if (isNew) {
        end();
        tenths = -1;
        startedAt = now();
      }
      current = what;
      const text = `${what.padEnd(noun.length)} ${String(Math.floor(share * 100)).padStart(3)} %  ${done} of ${total}${paceOf(done, total, now() - startedAt)}`;
      if (terminal.isTTY) {
        if (!isNew && share < 1 && now() - drawnAt < 100) return;
        drawnAt = now();
        const filled = Math.round(share * 24);
        terminal.write(`\r${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${text}\u001B[K`);
        isOpen = true;
      } else if (Math.floor(share * 10) > tenths) {
        tenths = Math.floor(share * 10);
        terminal.write(`${text}\n`);
      }
    },
    end,
  };
}

/** How fast it goes and how long the rest takes, once there is something to tell it by. */
function paceOf(done: number, total: number, elapsedMs: number): string {
  if (done === 0 || elapsedMs < 500) return '';
  const perSecond = (done * 1000) / elapsedMs;
  return `, ${Math.round(perSecond)}/s, ${Math.ceil((total - done) / perSecond)} s left`;
}
