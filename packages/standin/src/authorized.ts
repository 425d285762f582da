import type { AccessTokens } from './access-tokens.ts';
import { type Answer, refusal } from './answer.ts';

/** The app whose access token is in the query, or WeChat's refusal. */
export function appOf(accessTokens: AccessTokens, query: URLSearchParams): { appId: string } | { refusal: Answer } {
  const [token, ...others] = query.getAll('access_token');
  if (!token) return { refusal: refusal(41001) };
  const checked = others.length > 0 ? { state: 'unknown' as const } : accessTokens.check(token);
  if (checked.state === 'good') return { appId: checked.appId };
  return { refusal: refusal(checked.state === 'unknown' ? 40001 : 42001) };
}
