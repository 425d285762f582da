import { createBoundedMap } from './bounded.ts';

interface Count {
  requests: number;
  /** Of these, the ones that got what they asked for (a session key), whether or not the answer arrived. */
  succeeded: number;
  inFlight: number;
  highestInFlight: number;
}

/** Counts of WeChat's side. The phone's side is not counted. */
export interface Stats {
  paths: Record<string, Readonly<Count>>;
  codes: Record<string, Readonly<Count>>;
  /** How many successes WeChat takes money for, whether or not the answer arrived. */
  charged: number;
}

/** One request on its way. */
interface Passage {
  succeeded(options: { charged: boolean }): void;
  left(): void;
}

/** What reached WeChat's side so far, counted. */
export interface Traffic {
  enter(request: { path: string; code: string | undefined; query: URLSearchParams }): Passage;
  stats(): Stats;
  /** The query of the latest request to a path, the secret included: for tests in this process only. */
  lastQuery(path: string): URLSearchParams | undefined;
  reset(): void;
}

/** Counts requests; of the codes the latest `maxCodes` are kept. */
export function createTraffic({ maxCodes = 20_000, maxPaths = 100 } = {}): Traffic {
  const paths = createBoundedMap<Count>(maxPaths);
  const codes = createBoundedMap<Count>(maxCodes);
  const queries = createBoundedMap<URLSearchParams>(maxPaths);
  let charged = 0;

  return {
    enter: ({ path, code, query }) => {
      queries.set(path, query);
      const counts = [begin(paths, path), ...(code === undefined ? [] : [begin(codes, code)])];
      return {
        succeeded: (options) => {
          counts.forEach((count) => (count.succeeded += 1));
          if (options.charged) charged += 1;
        },
        left: () => counts.forEach((count) => (count.inFlight -= 1)),
      };
    },
    stats: () => ({ paths: listed(paths), codes: listed(codes), charged }),
    lastQuery: (path) => queries.get(path),
    reset: () => {
      [paths, codes, queries].forEach((map) => map.clear());
      charged = 0;
    },
  };
}

function begin(counts: ReturnType<typeof createBoundedMap<Count>>, key: string): Count {
  const count = counts.get(key) ?? { requests: 0, succeeded: 0, inFlight: 0, highestInFlight: 0 };
  count.requests += 1;
  count.inFlight += 1;
  count.highestInFlight = Math.max(count.highestInFlight, count.inFlight);
  counts.set(key, count);
  return count;
}

function listed(counts: ReturnType<typeof createBoundedMap<Count>>): Record<string, Count> {
  return Object.fromEntries([...counts.entries()].map(([key, count]) => [key, { ...count }]));
}
