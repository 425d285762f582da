import type { Standin } from '../../../packages/standin/src/server.ts';
import type { Message } from './message.ts';
import type { Random } from './random.ts';

/** What the oracle has to know of a request: what must not come back, and what may. */
export interface Sent {
  message: Message;
  /** Codes in this request: no answer may hold one. */
  codes: string[];
  /** The token that it brings. */
  token: string | undefined;
  /** WeChat was told to fail: 5xx of its kind are in order. */
  faulty: boolean;
}

const users = Array.from({ length: 12 }, (_, index) => `fuzz${index}`);
/** The only names that WeChat has signed. */
export const nickNames = ['Band', '果壳', '👨‍👩‍👧‍👦', 'a b', "O'Hara", '微信用户', ''] as const;
/** The smallest picture there is: a GIF of one pixel. */
const picture = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

/** Phones that behave, and what they would send: the requests that are spoilt afterwards. */
export function createPhones(standin: Standin) {
  const spent: string[] = [];
  const tokens: string[] = [];

  /** Four codes in five are new; the others were sent before. */
  function codeOf(random: Random, user = random.pick(users)): string {
    if (spent.length > 0 && random.chance(0.2)) return random.pick(spent.slice(-50));
    const { code } = standin.phone.login({ user, rotate: random.chance(0.2) });
    spent.push(code);
    if (spent.length > 1000) spent.splice(0, 500);
    return code;
  }

  /** A profile as it was sealed, or with a field of another one's: a whole login all the same. */
  function loginOf(random: Random): Record<string, string> & { code: string } {
    const sealed = (user: string) => {
      const { rawData, signature, encryptedData, iv } = standin.phone.profile({
        user,
        profile: { nickName: random.pick(nickNames) },
        api: random.chance(0.5) ? 'getUserProfile' : 'getUserInfo',
        ...(random.chance(0.1) && { timestamp: 1_600_000_000 }),
      });
      return { rawData, signature, encryptedData, iv };
    };
    const user = random.pick(users);
    const login = { ...sealed(user), code: codeOf(random, user) };
    if (random.chance(0.6)) return login;
    const field = random.pick(['rawData', 'signature', 'encryptedData', 'iv'] as const);
    if (random.chance(0.3)) return { ...login, [field]: sealed(random.pick(users))[field] };
    return { ...login, [field]: spoilt(login[field], field, random) };
  }

  function inputOf(name: string, random: Random): { input: unknown; codes: string[] } {
    switch (name) {
      case 'auth.checkUser': {
        const code = codeOf(random);
        return { input: { code, ...(random.chance(0.1) && { appId: standin.apps[0].appId }) }, codes: [code] };
      }
      case 'auth.login': {
        const login = loginOf(random);
        return { input: login, codes: [login.code] };
      }
      case 'user.bindPhone': {
        const { code } = standin.phone.phoneNumber({ user: random.pick(users) });
        return { input: { code }, codes: [code] };
      }
      case 'user.updateProfile':
        return {
          input: random.pick([
            { nickName: random.pick(nickNames) },
            { avatar: picture },
            { nickName: 'Band', avatar: random.bytes(60).toString('base64') },
          ]),
          codes: [],
        };
      default:
        return { input: undefined, codes: [] };
    }
  }

  return {
    users,
    /** A request that is in order, of any kind. */
    request(random: Random): Sent {
      const names = [
        'auth.checkUser',
        'auth.login',
        'auth.login',
        'auth.login',
        'user.me',
        'user.me',
        'user.updateProfile',
        'user.bindPhone',
        'auth.logout',
        'auth.logoutAll',
      ];
      const token = tokens.length > 0 && random.chance(0.7) ? random.pick(tokens.slice(-20)) : undefined;
      const headers: [string, string][] = [['content-type', 'application/json']];
      if (token !== undefined) headers.push(['authorization', `Bearer ${token}`]);
      if (random.chance(0.03)) {
        return {
          message: {
            method: 'GET',
            target: random.pick(['/healthz', '/readyz']),
            headers: [],
            body: Buffer.alloc(0),
            framing: 'length',
          },
          codes: [],
          token: undefined,
          faulty: false,
        };
      }
      const calls = Array.from({ length: random.chance(0.15) ? 1 + random.below(11) : 1 }, () => {
        const name = random.pick(names);
        return { name, ...inputOf(name, random) };
      });
      const codes = calls.flatMap((call) => call.codes);
      const faulty = codes.length > 0 && random.chance(0.05);
      if (faulty) for (const code of codes) standin.phone.fault({ code, times: 3, fault: troubleOf(random) });
      const isBatch = calls.length > 1 || random.chance(0.05);
      const input = isBatch
        ? Object.fromEntries(calls.map((call, index) => [index, call.input ?? null]))
        : calls[0]?.input;
      const path = `/trpc/${calls.map(({ name }) => name).join(',')}${isBatch ? '?batch=1' : ''}`;
      const body = Buffer.from(input === undefined ? '' : JSON.stringify(input));
      const asksByGet = !isBatch && calls[0]?.name === 'user.me' && random.chance(0.5);
      return {
        message: {
          method: asksByGet ? 'GET' : 'POST',
          target: path,
          headers,
          body: asksByGet ? Buffer.alloc(0) : body,
          framing: 'length',
        },
        codes,
        token,
        faulty,
      };
    },
    /** Keeps a token from an answer: later requests use it. */
    keep(token: string): void {
      tokens.push(token);
      if (tokens.length > 200) tokens.splice(0, 100);
    },
  };
}

function spoilt(text: string, field: string, random: Random): string {
  const at = random.below(Math.max(1, text.length));
  if (field === 'rawData')
    return random.pick([text.replace(/"nickName":"[^"]*"/, '"nickName":"Forged"'), text.slice(0, at), `${text} `]);
  if (field === 'signature') return random.pick(['0'.repeat(40), text.toUpperCase(), text.slice(1)]);
  const bytes = Buffer.from(text, 'base64');
  const byte = random.below(bytes.length);
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << random.below(8));
  return bytes.toString('base64');
}

/** None that hangs: a run would take hours. */
function troubleOf(random: Random) {
  return random.pick([
    { kind: 'errcode', errcode: -1 },
    { kind: 'errcode', errcode: 40029 },
    { kind: 'errcode', errcode: 40226 },
    { kind: 'errcode', errcode: 40125, errmsg: 'invalid appsecret, rid: 1-2-3' },
    { kind: 'errcode', errcode: '40163' },
    { kind: 'html' },
    { kind: 'empty' },
    { kind: 'fields' },
    { kind: 'reset', after: 'half' },
    { kind: 'raw', body: '{"openid":"' },
    { kind: 'status', status: 500 },
  ] as const);
}
