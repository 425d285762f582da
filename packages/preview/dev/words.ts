import { styleText } from 'node:util';
import type { FirstLogin } from './first-login.ts';
import type { Texts } from './english.ts';

const bold = (text: string) => styleText('bold', text);
const dim = (text: string) => styleText('dim', text);

interface Addresses {
  preview: string;
  backend: string;
  standin: string;
}

/** What happened at the first login, in plain words. */
export function story({ checked, login, row }: FirstLogin, { story: texts, sealed }: Texts): string {
  const days = Math.round((login.expiresAt - Date.now()) / (24 * 60 * 60 * 1000));
  const { nickName, country, province, city } = login.user;
  return `
${bold(texts.title)}

  1. wx.login → ${texts.code} → ${bold('auth.checkUser')}
     ${texts.exchanged} hasProfile: ${bold(String(checked.hasProfile))}. ${texts.unknown}
  2. ${texts.profile}
     → ${bold('auth.login')}: ${texts.proved}
     ${texts.user(bold(nickName ?? ''), `${country} ${province} ${city}`)} ${texts.token(days)}
  3. ${texts.row(bold('gk_wx_user'))}
${Object.entries(row ?? {})
  .map(([column, value]) => `       ${dim(column.padEnd(22))}${shown(column, value, sealed)}`)
  .join('\n')}
`;
}

function shown(column: string, value: string | number | null, sealed: string): string {
  if (value === null) return dim('null');
  if (/sessionKey$/i.test(column)) return `${String(value).slice(0, 16)}… ${dim(sealed)}`;
  return String(value);
}

/** Calls to try by hand; each line works when pasted. */
export function curlLines(url: string, standinUrl: string, { curl: texts }: Texts): string {
  const phone = (path: string, body: string) => `curl -s ${standinUrl}/phone/${path} -d '${body}'`;
  const call = (path: string) => `curl -s '${url}/trpc/${path}' -H 'content-type: application/json' -d`;
  return `${bold(texts.title)}

  ${dim(`# ${texts.code}`)}
  ${phone('login', '{"user":"me"}')} | ${call('auth.checkUser')} @-

  ${dim(`# ${texts.login}`)}
  ${phone('profile', '{"user":"me","login":true}')} | ${call('auth.login')} @-

  ${dim(`# ${texts.batch}`)}
  ${call('auth.checkUser,auth.checkUser?batch=1')} "{\\"0\\":$(${phone('login', '{"user":"me"}')}),\\"1\\":$(${phone('login', '{"user":"you"}')})}"

  ${dim(`# ${texts.refused}`)}
  ${phone('profile', '{"user":"me","login":true}')} | sed 's/"signature":"[0-9a-f]*"/"signature":"${'0'.repeat(40)}"/' | ${call('auth.login')} @-
`;
}

/** Where the parts are found. */
export function addresses({ preview, backend, standin }: Addresses, { open: texts }: Texts): string {
  return `${bold(texts.title)}

  ${texts.preview}${bold(preview)}
  ${texts.backend}${backend}
  ${texts.standin}${standin}

${bold(texts.ready)} ${texts.people}

${dim(texts.end)}
`;
}

/** What a start says after a file has changed. */
export function restarted({ preview, backend }: Omit<Addresses, 'standin'>, { restarted: texts }: Texts): string {
  return `${bold(texts.title)} ${texts.where(preview, backend)}`;
}
