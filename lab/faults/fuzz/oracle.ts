import { outcomes, type Reason } from '../../../src/errors.ts';
import type { Reply } from './message.ts';
import { type Sent, nickNames as signedNickNames } from './phones.ts';
import { canary } from './values.ts';

interface ErrorAnswer {
  error: { message: string; code: number; data: Record<string, unknown> };
}
interface ResultAnswer {
  result: { data: unknown };
}
type CallAnswer = Partial<ErrorAnswer & ResultAnswer>;

interface OracleOptions {
  /** What no answer may hold whatever was asked: name → text. */
  secrets: () => ReadonlyMap<string, string>;
  onToken: (token: string) => void;
  /** How many sessions a call has ended. */
  onRevoked: (count: number) => void;
}

/** Words of SQL, of a stack, of this machine's folders: nothing that a caller should see. */
const leaks =
  /\b(insert into|select .{1,80} from|gk_wx_|update .{1,40} set|SQLITE_|ER_[A-Z]{3}|ECONN|drizzle|libsql|zod|node_modules)|\bat [^ ]+ \(|\.[tj]s:\d+|file:\/\/|\/(work|tmp|home|root|usr)\//i;
const wechatTroubles: ReadonlySet<Reason> = new Set([
  'WECHAT_BUSY',
  'WECHAT_TIMEOUT',
  'WECHAT_BAD_RESPONSE',
  'WECHAT_REJECTED',
]);

/** Judges each answer; says what is wrong with it in a sentence, or null. */
export function createOracle({ secrets, onToken, onRevoked }: OracleOptions) {
  /** The names that WeChat has signed, and those that were typed: any other one in an answer was forged. */
  const nickNames = new Set<unknown>([...signedNickNames, null]);

  return (sent: Sent, reply: Reply): string | null => {
    const text = reply.body.toString();
    const head = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    const { target } = sent.message;
    return leakIn(`${head}\n${text}`, sent) ?? (isCall(target) ? judgeCall(reply, text, sent) : judgePlain(reply));
  };

  function leakIn(answer: string, { codes }: Sent): string | null {
    for (const [name, secret] of secrets()) if (answer.includes(secret)) return `the answer holds ${name}`;
    if (codes.some((code) => code.length > 8 && answer.includes(code))) return 'the answer holds a code';
    // A token is random: any short word may stand in it.
    const found = leaks.exec(answer.replaceAll(/"token":"[\w-]{43}"/g, ''));
    return found ? `the answer holds ${JSON.stringify(found[0])}` : null;
  }

  function judgePlain({ status, headers }: Reply): string | null {
    if (status >= 500 && status !== 505) return `status ${status}`;
    return status === 404 && headers.get('content-type')?.startsWith('application/json') !== true
      ? '404 that is not JSON'
      : null;
  }

  function judgeCall({ status, headers, body }: Reply, text: string, sent: Sent): string | null {
    const { method } = sent.message;
    if (headers.get('content-type')?.startsWith('application/json') !== true)
      return `content-type ${headers.get('content-type')}`;
    if (headers.get('cache-control') !== 'no-store') return `cache-control ${headers.get('cache-control')}`;
    if (!/^[\w-]{8,64}$/.test(headers.get('x-request-id') ?? '')) return 'no x-request-id';
    if (method === 'HEAD' || body.length === 0) return method === 'HEAD' ? null : 'an empty answer';
    const answers = parsed(text);
    if (!answers) return 'not JSON in the shape of tRPC';
    const statuses = new Set<number>();
    for (const answer of answers.calls) {
      const problem = judgeAnswer(answer, sent);
      if (problem) return problem;
      statuses.add(answer.error ? Number(answer.error.data.httpStatus) : 200);
    }
    const [only] = statuses;
    if (statuses.size === 1 ? status !== only : status !== 207)
      return `status ${status} of answers with ${[...statuses].join()}`;
    return null;
  }

  function judgeAnswer({ error, result }: CallAnswer, sent: Sent): string | null {
    if (error) {
      const { reason, httpStatus, retry, code } = error.data;
      if (typeof reason !== 'string' || !(reason in outcomes)) return `reason ${String(reason)}`;
      const outcome = outcomes[reason as Reason];
      if (retry !== outcome.retry) return `retry ${String(retry)} of ${reason}`;
      // tRPC's refusals of whole requests have statuses of their own, and INPUT_INVALID for a reason.
      if (reason !== 'INPUT_INVALID' && (httpStatus !== outcome.httpStatus || code !== outcome.code))
        return `status ${String(httpStatus)} of ${reason}`;
      if (Number(httpStatus) >= 500 && !wechatTroubles.has(reason as Reason))
        return `${reason}, which nothing has caused`;
      // Five pictures a minute of one user hold always, and the fuzzer's users send more.
      const isPicture = reason === 'RATE_LIMITED' && error.data.path === 'user.updateProfile';
      if ((reason === 'WECHAT_RATE_LIMITED' || reason === 'RATE_LIMITED') && !isPicture)
        return `${reason}, which nothing has caused`;
      if (Object.keys(error).toSorted().join() !== 'code,data,message') return `error has ${Object.keys(error).join()}`;
      if (Object.keys(error.data).toSorted().join() !== 'code,httpStatus,path,reason,retry')
        return `error.data has ${Object.keys(error.data).join()}`;
      return JSON.stringify(error).includes(canary) ? 'the answer repeats what was sent' : null;
    }
    return judgeData(Object(result?.data) as Record<string, unknown>, sent);
  }

  function judgeData(data: Record<string, unknown>, { message }: Sent): string | null {
    const hasToken = typeof data.token === 'string';
    if (typeof data.token === 'string') onToken(data.token);
    if (data.revoked === true) onRevoked(1);
    if (typeof data.revoked === 'number') onRevoked(data.revoked);
    const nickName: unknown = Reflect.get(Object(hasToken ? data.user : data) as object, 'nickName');
    if (nickName === undefined) return null;
    if (!hasToken && message.target.includes('updateProfile')) nickNames.add(nickName);
    return nickNames.has(nickName) ? null : `a nickname that no phone has signed or typed: ${JSON.stringify(nickName)}`;
  }
}

/** Where this path leads, its dots resolved. */
function isCall(target: string): boolean {
  return URL.canParse(target, 'http://x') && new URL(target, 'http://x').pathname.startsWith('/trpc/');
}

/** The answers of a request's calls; null when it is not of tRPC's shape. */
function parsed(text: string): { calls: CallAnswer[] } | null {
  try {
    const json: unknown = JSON.parse(text);
    const calls = (Array.isArray(json) ? json : [json]) as CallAnswer[];
    const isAnswer = (call: CallAnswer) =>
      Object.keys(call).join() === 'error' ||
      (Object.keys(call).join() === 'result' && Object.keys(Object(call.result) as object).join() === 'data');
    return calls.every(isAnswer) ? { calls } : null;
  } catch {
    return null;
  }
}
