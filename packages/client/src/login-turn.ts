import type { Storage } from './stored-session.ts';

/** A login under way says so again this often. */
const beatMs = 500;
const pollMs = 50;
/** A mark that so many looks find unchanged, in 1.5 s, is of a program that was ended in the middle of its login. */
const maxPolls = 30;
/** An older mark is not waited for at all. */
const maxAgeMs = 60_000;

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/** What `finally` does, which the Promise of iOS up to 15 lacks: `end` has run by the time the outcome is told. */
export function whenOver<T>(promise: Promise<T>, end: () => void): Promise<T> {
  return promise.then(
    (value) => {
      end();
      return value;
    },
    (error: unknown) => {
      end();
      throw error;
    },
  );
}

/**
 * Lets one client at a time log in, of all that share a storage: 独立分包 load a copy of this package of their own. A mark
 * in the storage says that a login is under way. Without a storage that works, each client logs in for itself.
 */
export function createLoginTurn(storage: Storage, key: string) {
  /** The mark of a login that may be under way; each beat changes it. */
  function markOfOther(): string | undefined {
    try {
      const mark = String(storage.getStorageSync(key));
      const ageMs = Date.now() - Number(mark || Number.NaN);
      return ageMs >= 0 && ageMs < maxAgeMs ? mark : undefined;
    } catch {
      return undefined;
    }
  }

  /** Counts looks, not time: after a pause of the whole program the other login gets to its beat first. */
  async function waitForOther(): Promise<void> {
    let mark = markOfOther();
    for (let polls = 0; mark !== undefined && polls < maxPolls; polls += 1) {
      await sleep(pollMs);
      const next = markOfOther();
      if (next !== mark) polls = 0;
      mark = next;
    }
  }

  /** Marks the turn as taken until the function that it gives back is called. */
  function take(): () => void {
    let timer: number | undefined;
    const beat = () => {
      timer = setTimeout(beat, beatMs);
      try {
        storage.setStorageSync(key, String(Date.now()));
      } catch {
        // The storage is full or denied: then other clients do not see this login.
      }
    };
    beat();
    return () => {
      clearTimeout(timer);
      try {
        storage.removeStorageSync(key);
      } catch {
        // It lapses by itself.
      }
    };
  }

  return async <T>(login: () => Promise<T>): Promise<T> => {
    if (markOfOther() !== undefined) await waitForOther();
    const release = take();
    return whenOver(login(), release);
  };
}
