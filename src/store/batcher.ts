import { withDeadline } from './deadline.ts';
import { StoreError } from './store.ts';

interface BatcherOptions<Item, Result> {
  /** Does the work for these items, all of it or nothing, and gives their results in their order. Rejects with StoreError. */
  runBatch: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How many batches may be in flight; calls that come meanwhile wait and form the next batch. */
  maxInFlight: number;
  /** For each call, from the call on. */
  timeoutMs: number;
  /** Whether one item alone may have caused a failure: then the items of each key are tried by themselves. */
  mayConcernOneItem?: (error: StoreError) => boolean;
  /** What items have in common that fail together, such as their row; by default nothing. */
  keyOf?: (item: Item) => unknown;
}

/** The items of one key, which go by themselves: one batch of them at a time. */
interface Lane<Item, Result> {
  calls: Call<Item, Result>[];
  isRunning: boolean;
}

const maxBatchSize = 64;
/** How long calls wait for the batches in flight before another batch goes beside them. */
const lingerMs = 2;
/** Batches of single keys in flight, beside the other batches. A locked row holds up one of them. */
const maxLanesInFlight = 4;
/** How long the items of a key that failed go by themselves. */
const apartMs = 5000;

interface Call<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
  isExpired: boolean;
}

/**
 * Makes a function for one item out of one for many: concurrent calls reach the database as one batch. No call waits for
 * others: those of one turn of the event loop go at its end, unless `maxInFlight` batches are under way. An item that
 * fails does not fail others: its key gets a lane of its own, where it delays only items of that key.
 */
export function createBatcher<Item, Result>({
  runBatch,
  maxInFlight,
  timeoutMs,
  mayConcernOneItem = (error) => error.kind === 'unexpected',
  keyOf = (item) => item,
}: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  let queue: Call<Item, Result>[] = [];
  let inFlight = 0;
  let isFlushDue = false;
  let lingering: NodeJS.Timeout | undefined;
  const lanes = new Map<unknown, Lane<Item, Result>>();
  let lanesInFlight = 0;

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
    const isOfOneKey = failure instanceof StoreError && mayConcernOneItem(failure);
    const [first] = batch;
    if (isOfOneKey && batch.length > 1) {
      for (const call of batch) laneOf(keyOf(call.item)).calls.push(call);
      runLanes();
    } else {
      for (const call of batch) call.reject(failure);
      if (isOfOneKey && first) keepApart(keyOf(first.item));
    }
  }

  function keepApart(key: unknown): void {
    const lane = laneOf(key);
    const leave = () => void (lane.calls.length === 0 && !lane.isRunning && lanes.delete(key));
    setTimeout(leave, apartMs).unref();
  }

  function laneOf(key: unknown): Lane<Item, Result> {
    const lane = lanes.get(key) ?? { calls: [], isRunning: false };
    lanes.set(key, lane);
    return lane;
  }

  function runLanes(): void {
    for (const [key, lane] of lanes) {
      if (lanesInFlight >= maxLanesInFlight) return;
      if (!lane.isRunning && lane.calls.length > 0) void runLane(key, lane);
    }
  }

  async function runLane(key: unknown, lane: Lane<Item, Result>): Promise<void> {
    lane.isRunning = true;
    lanesInFlight += 1;
    const batch = lane.calls.splice(0, maxBatchSize).filter(({ isExpired }) => !isExpired);
    let failure = batch.length === 0 ? undefined : await settle(batch);
    // A row that is held concerns all of them; a value that is refused is one item's own.
    if (batch.length > 1 && failure instanceof StoreError && failure.kind === 'unexpected') {
      for (const call of batch) {
        const own = await settle([call]);
        if (own !== undefined) call.reject(own);
      }
      failure = undefined;
    }
    lanesInFlight -= 1;
    lane.isRunning = false;
    for (const call of batch) call.reject(failure);
    if (failure !== undefined) keepApart(key);
    else if (lane.calls.length === 0) lanes.delete(key);
    runLanes();
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
    let lane: Lane<Item, Result> | undefined;
    const result = new Promise<Result>((resolve, reject) => {
      call = { item, resolve, reject, isExpired: false };
      lane = lanes.get(keyOf(item));
      (lane?.calls ?? queue).push(call);
    });
    if (lane) runLanes();
    else if (inFlight > 0) lingering ??= setTimeout(flush, lingerMs);
    else if (!isFlushDue) {
      isFlushDue = true;
      setImmediate(flush);
    }
    return withDeadline(timeoutMs, result, () => {
      if (call) call.isExpired = true;
    });
  };
}
