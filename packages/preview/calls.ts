import type { RequestAnswer, RequestOptions } from './native.ts';

/** One call that left the page, as it is shown: nothing in it opens a session or spends a code. */
export interface Call {
  id: number;
  at: number;
  /** `wx.login`, or a procedure such as `auth.checkUser`; several of a batch are joined by commas. */
  name: string;
  kind: 'wx' | 'http';
  outcome: 'pending' | 'ok' | 'failed';
  /** The HTTP status, or what WeChat said. */
  status: string;
  durationMs: number;
  /** What went out, secrets masked. */
  detail: string;
}

const kept = 100;
const secrets = new Set(['code', 'token', 'signature', 'encryptedData', 'iv', 'rawData']);

/** The calls of a phone, the latest hundred. */
export function createCalls() {
  let calls: Call[] = [];
  let lastId = 0;

  function begin(name: string, input: object): Call {
    const { url, body } = input as Partial<RequestOptions>;
    lastId += 1;
    const call: Call = {
      id: lastId,
      at: Date.now(),
      name: url === undefined ? name : procedureOf(url),
      kind: url === undefined ? 'wx' : 'http',
      outcome: 'pending',
      status: '…',
      durationMs: 0,
      detail: typeof body === 'string' ? masked(body) : '',
    };
    calls = [...calls.slice(1 - kept), call];
    return call;
  }

  return {
    all: (): readonly Call[] => calls,
    forget: () => void (calls = []),
    /** Follows the work to its end, and gives back its result. */
    async record<T>(name: string, input: object, work: () => Promise<T>): Promise<T> {
      const call = begin(name, input);
      const startedAt = performance.now();
      try {
        const result = await work();
        Object.assign(call, call.kind === 'http' ? judged(result as RequestAnswer) : { outcome: 'ok', status: 'ok' });
        return result;
      } catch (error) {
        Object.assign(call, { outcome: 'failed', status: error instanceof Error ? error.message : String(error) });
        throw error;
      } finally {
        call.durationMs = performance.now() - startedAt;
      }
    },
  };
}

/** Never throws: the page may ask for anything, and is told by the network. */
function procedureOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/^\/trpc\//, '') : 'wx.request';
}

function judged({ statusCode, body }: RequestAnswer): Pick<Call, 'outcome' | 'status'> {
  const reasons = [...body.matchAll(/"reason":"([A-Z_]+)"/g)].map(([, reason]) => reason);
  return {
    outcome: statusCode < 300 && statusCode !== 207 ? 'ok' : 'failed',
    status: [statusCode, ...reasons].join(' '),
  };
}

/** A batch's inputs, every secret cut to its first three characters and a picture told by its size. Any other body is not shown at all. */
function masked(body: string): string {
  try {
    const inputs: unknown[] = Object.values(JSON.parse(body) as object);
    // The letters of a text have entries too: a code that stands outside a batch would be shown whole.
    if (!inputs.every((input) => typeof input === 'object' && input !== null)) return '';
    const fields = inputs.flatMap((input) => Object.entries(input));
    const short = (name: string, value: unknown) => {
      if (name === 'avatar') return `${Math.ceil((String(value).length * 3) / 4096)} KB`;
      return secrets.has(name) ? `${String(value).slice(0, 3)}…` : String(value);
    };
    return fields.map(([name, value]: [string, unknown]) => `${name} ${short(name, value)}`).join(' · ');
  } catch {
    return '';
  }
}
