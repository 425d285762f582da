import { devApp } from '../../packages/standin/src/server.ts';

/** One kind of request: which call, and in which form. packages/client/test/bench.test.ts holds the phone's to what the client sends. */
export interface RequestKind {
  procedure: 'auth.login' | 'auth.checkUser' | 'user.me';
  /** `phone`: a batch, also of one, and every call is a POST. `plain`: no batch, and a query is a GET. */
  form: 'phone' | 'plain';
  /** How many calls are in it; 1 in the plain form. */
  calls: number;
}

/** A login as the stand-in mints it. */
export interface MintedLogin {
  code: string;
  rawData: string;
  signature: string;
  encryptedData: string;
  iv: string;
}

/** What the client passes to `wx.request`, and the headers that WeChat on an iPhone adds. */
const phoneHeaders = [
  'connection: keep-alive',
  'content-type: application/json',
  'accept-encoding: gzip,compress,br,deflate',
  'user-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x1800323d) NetType/WIFI Language/zh_CN',
  `referer: https://servicewechat.com/${devApp.appId}/12/page-frame.html`,
];

/** Whether its calls are logins, each with a code of its own. Other calls are made with a token. */
export function needsCode({ procedure }: RequestKind): boolean {
  return procedure !== 'user.me';
}

/** The input of one call, as JSON. A phone names its mini program. */
export function inputOf({ procedure, form }: RequestKind, { code, ...profile }: MintedLogin): string {
  const appId = form === 'phone' ? { appId: devApp.appId } : {};
  return JSON.stringify(procedure === 'auth.login' ? { code, ...profile, ...appId } : { code, ...appId });
}

/** The bytes of a request, with the inputs of its calls or with a token. */
export function writeRequest(
  kind: RequestKind,
  { inputs = [], token }: { inputs?: readonly string[]; token?: string },
) {
  const { procedure, form, calls } = kind;
  const authorization = token === undefined ? [] : [`authorization: Bearer ${token}`];
  if (form === 'plain') {
    const path = `/trpc/${procedure}`;
    if (!needsCode(kind)) return write(`GET ${path}`, authorization);
    return write(`POST ${path}`, ['content-type: application/json', ...authorization], inputs[0]);
  }
  const path = `/trpc/${Array.from({ length: calls }, () => procedure).join()}?batch=1`;
  const body = `{${inputs.map((input, index) => `"${index}":${input}`).join()}}`;
  return write(`POST ${path}`, [...phoneHeaders, ...authorization], body);
}

function write(line: string, headers: readonly string[], body?: string): string {
  const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return [`${line} HTTP/1.1`, 'host: bench', ...headers, ...length, '', body ?? ''].join('\r\n');
}
