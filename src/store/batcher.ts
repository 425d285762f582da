import { withDeadline } from './deadline.ts';
import { StoreError } from './store.ts';

interface BatcherOptions<Item, Result> {
  /** Does the work for these items, all of it or nothing, and gives their results in their order. Rejects with StoreError. */
  runBatch: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How many batches may be in flight; calls that come meanwhile wait and form the next batch. */
  maxInFlight: number;
  maxBatchSize?: number;
  /** How long calls wait for the batches in flight before another batch goes beside them. */
  lingerMs?: number;
  /** For each call, from the call on. */
  timeoutMs: number;
  /** Whether one item alone may have caused a failure: then each item of the batch is tried by itself. */
  mayConcernOneItem?: (error: StoreError) => boolean;
}

interface Call<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
  isExpired: boolean;
}

/**
 * Makes a function for one item out of one for many: concurrent calls reach the database as one batch. No call waits for
 * company: those of one turn of the event loop go at its end, unless `maxInFlight` batches are under way.
 */
export function createBatcher<Item, Result>({
  runBatch,
  maxInFlight,
  maxBatchSize = 64,
  lingerMs = 5,
  timeoutMs,
  mayConcernOneItem = (error) => error.kind === 'unexpected',
}: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  let queue: Call<Item, Result>[] = [];
  let inFlight = 0;
  let isFlushDue = false;
  let lingering: NodeJS.Timeout | undefined;

  function flush(): void {
    isFlushDue = false;
    clearTimeout(lingering);
    lingering = undefined;
    // A call whose caller has given up is not written any more.
    queue = queue.filter(({ isExpired }) => !isExpired);
    while (inFlight < maxInFlight && queue.length > 0) void send(queue.splice(0, maxBatchSize));
  }

  async function send(batch: readonly Call<Item, Result>[]): Promise<void> {
    inFlight += 1;
    const failure = await settle(batch);
    inFlight -= 1;
    flush();
    if (failure === undefined) return;
    const isRetriedSingly = batch.length > 1 && failure instanceof StoreError && mayConcernOneItem(failure);
    for (const call of batch) {
      if (!isRetriedSingly) call.reject(failure);
      else if (!call.isExpired) void settle([call]).then((own) => own === undefined || call.reject(own));
    }
  }

  /** Resolves the calls, or gives back why not. */
  async function settle(batch: readonly Call<Item, Result>[]): Promise<unknown> {
    try {
      const results = await runBatch(batch.map(({ item }) => item));
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  return (item) => {
    let call: Call<Item, Result> | undefined;
    const result = new Promise<Result>((resolve, reject) => {
      call = { item, resolve, reject, isExpired: false };
      queue.push(call);
    });
    if (inFlight > 0) lingering ??= setTimeout(flush, lingerMs);
    else if (!isFlushDue) {
      isFlushDue = true;
      setImmediate(flush);
    }
    return withDeadline(timeoutMs, result, () => {
      if (call) call.isExpired = true;
    });
  };
}
