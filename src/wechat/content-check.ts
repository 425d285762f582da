import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Log } from '../operations/log.ts';
import type { AccessTokens } from './access-token.ts';
import type { WechatApi } from './api.ts';
import { callWithAccessToken } from './call-with-access-token.ts';
import { withinDeadline } from './deadline.ts';
import { badResponse, type WechatRequest } from './http.ts';

interface Author {
  appId: string;
  openId: string;
}

/**
 * WeChat's check of what users publish. Both reject with AppError: CONTENT_REJECTED for what is risky, and every WECHAT_
 * reason. What WeChat wants a person to review is taken, and logged with the id by which WeChat knows it.
 */
export interface ContentCheck {
  checkText(text: string, author: Author): Promise<void>;
  /** JPEG or PNG, of at most 1 MB and 750×1334. */
  checkPicture(picture: Buffer, author: Author): Promise<void>;
}

interface ContentCheckOptions {
  api: WechatApi;
  accessTokens: AccessTokens;
  log: Log;
  timeoutMs: number;
}

const verdict = z.object({
  result: z.object({ suggest: z.enum(['pass', 'review', 'risky']) }),
  trace_id: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional()
    .catch(undefined),
});

export function createContentCheck({ api, accessTokens, log, timeoutMs }: ContentCheckOptions): ContentCheck {
  return {
    async checkText(content, { appId, openId }) {
      // Scene 1 is a user's profile.
      const body = { version: 2, scene: 1, openid: openId, content };
      const parsed = verdict.safeParse(await post(appId, { path: '/wxa/msg_sec_check', body }));
      if (!parsed.success) throw badResponse('WRONG_SHAPE');
      const { result, trace_id: rid } = parsed.data;
      if (result.suggest === 'risky')
        throw new AppError('CONTENT_REJECTED', { detail: { appId, ...(rid && { rid }) } });
      if (result.suggest === 'review') log.warn({ appId, ...(rid && { rid }) }, 'content: WeChat wants a review');
    },
    async checkPicture(picture, { appId }) {
      const form = new FormData();
      form.append('media', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'avatar.jpg');
      const encoded = new Response(form);
      const upload = {
        contentType: encoded.headers.get('content-type') ?? '',
        bytes: Buffer.from(await encoded.arrayBuffer()),
      };
      // A risky picture is an errcode, 87014.
      await post(appId, { path: '/wxa/img_sec_check', upload });
    },
  };

  function post(appId: string, request: Pick<WechatRequest, 'path' | 'body' | 'upload'>): Promise<unknown> {
    return withinDeadline(timeoutMs, (deadline) =>
      callWithAccessToken({ accessTokens, appId, deadline }, (accessToken) =>
        api.requestWithRetry(
          { ...request, method: 'POST', query: { access_token: accessToken }, appId, isRepeatable: true },
          deadline,
        ),
      ),
    );
  }
}
