import { withDeadline } from './deadline.ts';
import { StoreError } from './store.ts';

interface JoinedOptions<Item, Result> {
  /** Does the work for these items, all of it or nothing, and gives their results in their order. Rejects with StoreError. */
  work: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How many pieces of work may be under way at once; what comes meanwhile waits, and goes together. */
  maxInFlight: number;
  maxItems?: number;
  /** How long calls wait for the work under way before another piece of work goes beside it. */
  lingerMs?: number;
  /** For each caller, from the call on. */
  timeoutMs: number;
  /** Whether a failure may be that of one item alone, so that the others are tried without it. */
  isOfOne?: (error: StoreError) => boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
  expired: boolean;
}

/**
 * One function for one item, whose concurrent calls the database gets as one piece of work. Nobody waits to be joined:
 * what arrives in one turn of the event loop goes at once, unless `maxInFlight` are under way. When a piece of work
 * fails for what may be one item's fault, each of its items is tried alone, so that no other pays for it.
 */
export function joined<Item, Result>({
  work,
  maxInFlight,
  maxItems = 64,
  lingerMs = 5,
  timeoutMs,
  isOfOne = (error) => error.kind === 'unexpected',
}: JoinedOptions<Item, Result>): (item: Item) => Promise<Result> {
  let queue: Waiting<Item, Result>[] = [];
  let inFlight = 0;
  let isDue = false;
  let lingering: NodeJS.Timeout | undefined;

  function depart(): void {
    isDue = false;
    clearTimeout(lingering);
    lingering = undefined;
    // Whoever has given up is not written any more.
    queue = queue.filter(({ expired }) => !expired);
    while (inFlight < maxInFlight && queue.length > 0) void carry(queue.splice(0, maxItems));
  }

  async function carry(group: readonly Waiting<Item, Result>[]): Promise<void> {
    inFlight += 1;
    const failure = await settle(group);
    inFlight -= 1;
    depart();
    if (failure === undefined) return;
    const mayBeOfAnother = group.length > 1 && failure instanceof StoreError && isOfOne(failure);
    for (const each of group) {
      if (!mayBeOfAnother) each.reject(failure);
      else if (!each.expired) void settle([each]).then((own) => own === undefined || each.reject(own));
    }
  }

  /** Resolves the callers, or gives back why not. */
  async function settle(group: readonly Waiting<Item, Result>[]): Promise<unknown> {
    try {
      const results = await work(group.map(({ item }) => item));
      for (const [index, result] of results.entries()) group[index]?.resolve(result);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  return (item) => {
    let waiting: Waiting<Item, Result> | undefined;
    const result = new Promise<Result>((resolve, reject) => {
      waiting = { item, resolve, reject, expired: false };
      queue.push(waiting);
    });
    if (inFlight > 0) lingering ??= setTimeout(depart, lingerMs);
    else if (!isDue) {
      isDue = true;
      setImmediate(depart);
    }
    return withDeadline(timeoutMs, result, () => {
      if (waiting) waiting.expired = true;
    });
  };
}
