import { STATUS_CODES } from 'node:http';
import { type Answer, refusal } from './answer.ts';
import type { Fault } from './faults.ts';

/** One whole HTTP answer; its length goes without saying. */
export interface Reply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** What the answer looks like, under a fault of its content; the faults of its transport change nothing here. */
export function replyWith(answer: Answer, fault?: Fault): Reply {
  switch (fault?.kind) {
    case 'errcode':
      return json(refusal(fault.errcode, fault.errmsg));
    case 'fields': {
      const changed = Object.entries({ ...answer, ...fault.set }).filter(([name]) => !fault.without.includes(name));
      return json(Object.fromEntries(changed));
    }
    case 'status':
      return reply(fault.status, 'text/plain', fault.body);
    case 'html':
      return reply(
        fault.status,
        'text/html',
        `<html><head><title>${fault.status} ${STATUS_CODES[fault.status]}</title></head></html>`,
      );
    case 'empty':
      return reply(200, 'text/plain', '');
    case 'redirect':
      return reply(fault.status, 'text/plain', '', { location: fault.location });
    case 'raw':
      return reply(fault.status, fault.contentType, Buffer.from(fault.body, fault.encoding));
    default:
      return json(answer);
  }
}

/** WeChat sends its JSON as text/plain. */
function json(answer: Answer): Reply {
  return reply(200, 'text/plain', JSON.stringify(answer));
}

function reply(
  status: number,
  contentType: string,
  content: string | Buffer,
  headers: Record<string, string> = {},
): Reply {
  return { status, headers: { 'content-type': contentType, ...headers }, body: Buffer.from(content) };
}
