import { AppError } from '../errors.ts';
import type { AccessTokens } from './access-token.ts';
import type { Deadline } from './deadline.ts';

/** WeChat's errcodes for an access token that it does not accept: 40001 invalid, 40014 malformed, 42001 expired. */
const tokenErrcodes: ReadonlySet<number | undefined> = new Set([40001, 40014, 42001]);

interface TokenCall {
  accessTokens: AccessTokens;
  appId: string;
  /** For the access token and the call together. */
  deadline: Deadline;
}

/** Calls an API of WeChat with an access token; calls it again, with a renewed token, when WeChat refuses the first. */
export async function callWithAccessToken<T>(
  { accessTokens, appId, deadline }: TokenCall,
  call: (accessToken: string) => Promise<T>,
): Promise<T> {
  const token = await accessTokens.get(appId, deadline);
  try {
    return await call(token);
  } catch (error) {
    if (!(error instanceof AppError && tokenErrcodes.has(error.detail.errcode))) throw error;
    const renewed = await accessTokens.renew(appId, token, deadline);
    if (renewed === token) throw error;
    return await call(renewed);
  }
}
