import { AppError } from '../errors.ts';
import { type Deadline, pause } from './deadline.ts';
import { errorIn } from './errcodes.ts';
import type { WechatHttp, WechatRequest } from './http.ts';

interface Asking {
  http: WechatHttp;
  request: WechatRequest;
  appId: string;
  /** The deadline of all tries together. */
  deadline: Deadline;
  now: () => number;
  /** Whether it is asked again where not one byte came back. After -1 it always is: WeChat says that it did nothing. */
  repeatsUnanswered: boolean;
}

/** Waits before the second and the third try. */
const backoffsMs = [100, 300];

/** Asks until there is an answer that counts, and gives it back unless it is a refusal. */
export async function ask({ http, request, appId, deadline, now, repeatsUnanswered }: Asking): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    const answer = await http.send(request, deadline);
    const error =
      answer.kind === 'answered'
        ? errorIn(answer.json, appId, now())
        : new AppError('WECHAT_TIMEOUT', { detail: { code: 'UNANSWERED' } });
    if (!error && answer.kind === 'answered') return answer.json;
    const backoffMs = backoffsMs[attempt];
    const mayRepeat = answer.kind === 'unanswered' ? repeatsUnanswered : error?.reason === 'WECHAT_BUSY';
    if (!mayRepeat || backoffMs === undefined) throw error;
    await pause(deadline, backoffMs).catch(() => {
      throw error;
    });
  }
}
