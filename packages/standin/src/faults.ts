import { z } from 'zod';

const ms = z.int().min(1).max(600_000);
const status = z.int().min(200).max(599);
const text = z.string().max(1_000_000);
const bytes = z.int().min(1).max(1_073_741_824);
/** How much of the answer is sent before things go wrong. */
const after = z.enum(['nothing', 'headers', 'half']).default('nothing');

const faultSchema = z.discriminatedUnion('kind', [
  /** WeChat's own refusal; give a string to see the errcode as a string. */
  z.strictObject({
    kind: z.literal('errcode'),
    errcode: z.union([z.int(), z.string().max(64)]),
    errmsg: text.optional(),
  }),
  /** The true answer with fields replaced or left out. */
  z.strictObject({
    kind: z.literal('fields'),
    set: z.record(z.string().max(64), z.json()).default({ openid: 12345, session_key: 67890 }),
    without: z.array(z.string().max(64)).max(16).default([]),
  }),
  z.strictObject({ kind: z.literal('status'), status, body: text.default('') }),
  z.strictObject({ kind: z.literal('html'), status: status.default(502) }),
  z.strictObject({ kind: z.literal('empty') }),
  z.strictObject({
    kind: z.literal('redirect'),
    status: z.int().min(300).max(399).default(302),
    location: z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'must be printable ASCII'),
  }),
  /** Any bytes: `body` is text, or base64 where `encoding` says so. */
  z.strictObject({
    kind: z.literal('raw'),
    status: status.default(200),
    contentType: z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/, 'must be printable ASCII')
      .default('text/plain'),
    encoding: z.enum(['utf8', 'base64']).default('utf8'),
    body: text,
  }),
  /** The true answer, late. */
  z.strictObject({ kind: z.literal('delay'), ms }),
  /** The true answer, a byte every so often: its body, or with `head` the status line and headers too. */
  z.strictObject({ kind: z.literal('trickle'), msPerByte: ms.default(100), head: z.boolean().default(false) }),
  /** Stops there for ever, the connection open. */
  z.strictObject({ kind: z.literal('hang'), after }),
  /** Ends the connection there: with a TCP reset, or by closing it in order. */
  z.strictObject({ kind: z.literal('reset'), after, how: z.enum(['reset', 'close']).default('reset') }),
  /** Resets every connection and refuses new ones for that long. */
  z.strictObject({ kind: z.literal('away'), ms }),
  /** The true answer, then spaces: valid JSON once all of it is read. */
  z.strictObject({ kind: z.literal('huge'), bytes: bytes.default(32 * 1024 * 1024) }),
  /** The same, as a gzip a thousand times smaller. */
  z.strictObject({ kind: z.literal('gzipBomb'), bytes: bytes.default(64 * 1024 * 1024) }),
]);

/** What goes wrong with one answer. */
export type Fault = z.output<typeof faultSchema>;

/** An order of faults, as `/phone/fault` takes it. */
export const faultInput = z.strictObject({
  code: z.string().min(1).max(128).optional(),
  /** Without a code and a path: the exchange of any code. */
  path: z.string().startsWith('/').max(200).optional(),
  times: z.int().min(1).default(1),
  /** Strikes only each n-th request that it fits. */
  every: z.int().min(1).default(1),
  /** Whether the code is used up all the same. Left out: where the true answer is on its way, even in part. */
  spend: z.boolean().optional(),
  fault: faultSchema,
});

/** The same, its defaults left out. */
export type FaultInput = z.input<typeof faultInput>;
type Rule = z.output<typeof faultInput>;

interface Strike {
  fault: Fault;
  spend: boolean;
}

/** The faults to come. */
export interface Faults {
  /** False when there are too many already. */
  add(rule: Rule): boolean;
  /** The fault that hits this request, if any; counts it down. One for the code goes before one for the path. */
  strike(request: { path: string; code: string | undefined }): Strike | undefined;
  reset(): void;
}

/** The faults ordered and not yet struck, first come first served. */
export function createFaults({ max = 10_000 }: { max?: number } = {}): Faults {
  const queues = new Map<string, { rule: Rule; seen: number; struck: number }[]>();
  let count = 0;

  function take(key: string, path: string): Strike | undefined {
    const queue = queues.get(key);
    const order = queue?.find(({ rule }) => rule.path === undefined || rule.path === path);
    if (!queue || !order) return undefined;
    order.seen += 1;
    if (order.seen % order.rule.every !== 0) return undefined;
    order.struck += 1;
    if (order.struck >= order.rule.times) {
      queue.splice(queue.indexOf(order), 1);
      if (queue.length === 0) queues.delete(key);
      count -= 1;
    }
    return { fault: order.rule.fault, spend: order.rule.spend ?? spends(order.rule.fault) };
  }

  return {
    add: (rule) => {
      if (count >= max) return false;
      const path = rule.path ?? (rule.code === undefined ? '/sns/jscode2session' : undefined);
      const key = rule.code === undefined ? `path ${path}` : `code ${rule.code}`;
      const queue = queues.get(key) ?? [];
      queue.push({ rule: { ...rule, path }, seen: 0, struck: 0 });
      queues.set(key, queue);
      count += 1;
      return true;
    },
    strike: ({ path, code }) =>
      count === 0
        ? undefined
        : ((code === undefined ? undefined : take(`code ${code}`, path)) ?? take(`path ${path}`, path)),
    reset: () => {
      queues.clear();
      count = 0;
    },
  };
}

function spends(fault: Fault): boolean {
  switch (fault.kind) {
    case 'fields':
    case 'delay':
    case 'trickle':
    case 'huge':
    case 'gzipBomb':
      return true;
    case 'hang':
    case 'reset':
      return fault.after !== 'nothing';
    default:
      return false;
  }
}
