import { styleText } from 'node:util';
import type { FirstLogin } from './first-login.ts';

const bold = (text: string) => styleText('bold', text);
const dim = (text: string) => styleText('dim', text);

/** What happened at the first login, in plain words. */
export function story({ checked, login, row }: FirstLogin): string {
  const days = Math.round((login.expiresAt - Date.now()) / (24 * 60 * 60 * 1000));
  return `
${bold('A first login, from the phone to the table')}

  1. wx.login → a one-time code → ${bold('auth.checkUser')}
     The backend exchanged the code with the stand-in for WeChat. hasProfile: ${bold(String(checked.hasProfile))}. Nobody we know yet.
  2. wx.getUserProfile → signed and sealed data; wx.login again, and WeChat rotates the session key
     → ${bold('auth.login')}: the profile was proved with the key from step 1.
     The user: ${bold(login.user.nickName ?? '')}, ${login.user.country} ${login.user.province} ${login.user.city}. A token of ours, good for ${days} days.
  3. The row of ${bold('gk_wx_user')}, as stored:
${Object.entries(row ?? {})
  .map(([column, value]) => `       ${dim(column.padEnd(22))}${shown(column, value)}`)
  .join('\n')}
`;
}

function shown(column: string, value: string | number | null): string {
  if (value === null) return dim('null');
  if (/sessionKey$/i.test(column)) return `${String(value).slice(0, 16)}… ${dim('(sealed with AES-256-GCM)')}`;
  return String(value);
}

/** Calls to try by hand; each line works when pasted. */
export function curlLines(url: string, standinUrl: string): string {
  const phone = (path: string, body: string) => `curl -s ${standinUrl}/phone/${path} -d '${body}'`;
  const call = (path: string) => `curl -s '${url}/trpc/${path}' -H 'content-type: application/json' -d`;
  return `${bold('Try it')}

  ${dim('# One call: a phone takes a code, the backend exchanges it.')}
  ${phone('login', '{"user":"me"}')} | ${call('auth.checkUser')} @-

  ${dim('# The whole login: a profile, signed and sealed, and a code.')}
  ${phone('profile', '{"user":"me","login":true}')} | ${call('auth.login')} @-

  ${dim('# A batch of two.')}
  ${call('auth.checkUser,auth.checkUser?batch=1')} "{\\"0\\":$(${phone('login', '{"user":"me"}')}),\\"1\\":$(${phone('login', '{"user":"you"}')})}"

  ${dim('# A wrong signature: refused, with the same words as any other data that does not fit.')}
  ${phone('profile', '{"user":"me","login":true}')} | sed 's/"signature":"[0-9a-f]*"/"signature":"${'0'.repeat(40)}"/' | ${call('auth.login')} @-
`;
}

/** Where the parts are found. */
export function addresses({
  preview,
  backend,
  standin,
}: {
  preview: string;
  backend: string;
  standin: string;
}): string {
  return `${bold('Open it')}

  The mini program, in your browser   ${bold(preview)}
  The backend                         ${backend}
  The stand-in for WeChat             ${standin}

${bold('Ready.')} The phone's last person is the one who logged in above; the others are new.

${dim('Ctrl-C ends it all.')}
`;
}

/** What a start says after a file has changed. */
export function restarted({ preview, backend }: { preview: string; backend: string }): string {
  return `${bold('Started again')} after a change. The mini program: ${preview}  The backend: ${backend}`;
}
