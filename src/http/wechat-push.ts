import { hash } from 'node:crypto';
import { type Context as HonoContext, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createOnce } from '../limits/once.ts';
import { describeError, type Log } from '../operations/log.ts';
import { guardedStore } from '../store/guarded-store.ts';
import { type Store, StoreError } from '../store/store.ts';
import type { OnUserDeleted } from '../user/erasure.ts';
import { applyPush } from '../user/push-effects.ts';
import { isPushSignature, openPush, type PushSecrets } from '../wechat/push-crypto.ts';
import { createdAtOf, encryptedIn, type PushFields, readPushMessage, toPushEvent } from '../wechat/push-message.ts';
import type { CallEnv } from './context.ts';

/** A verified push of WeChat that guoke does not handle itself, with the fields as WeChat names them. */
export interface Push {
  appId: string;
  fields: PushFields;
}

/** Awaited before WeChat is answered; when it rejects, WeChat sends the push again. So it may see one push more than once. */
export type OnPush = (push: Push) => Promise<void> | void;

interface WechatPushOptions {
  /** App id → what the owner entered at mp.weixin.qq.com. */
  apps: ReadonlyMap<string, PushSecrets>;
  store: Store;
  databaseTimeoutMs: number;
  onUserDeleted: OnUserDeleted;
  onPush: OnPush;
  log: Log;
  now: () => number;
}

const maxBytes = 64 * 1024;
const maxAgeMs = 10 * 60_000;
/** Between what a push tells of and its sending. */
const maxDelayMs = 7 * 24 * 60 * 60_000;

/** A push that does not verify. `check` is for the log: the caller learns the status alone. */
class PushRefusal extends Error {
  override readonly name = 'PushRefusal';
  readonly check: string;

  constructor(check: string) {
    super(check);
    this.check = check;
  }
}

/** WeChat's message push, `/wechat/push/<appid>`: only what WeChat has encrypted is believed. */
export function wechatPush({ apps, store, databaseTimeoutMs, onUserDeleted, onPush, log, now }: WechatPushOptions) {
  const app = new Hono<CallEnv>();
  const once = createOnce({ keepMs: 2 * maxAgeMs, now });

  /** WeChat's check of the URL. */
  app.get('/wechat/push/:appId', (c) => {
    const { token } = secretsOf(c);
    const parts = [parameter(c, 'timestamp'), parameter(c, 'nonce')];
    if (!isPushSignature(parameter(c, 'signature'), token, parts)) throw new PushRefusal('signature');
    return c.text(parameter(c, 'echostr'));
  });

  const limit = bodyLimit({ maxSize: maxBytes, onError: (c) => c.json({ status: 'too large' }, 413) });
  app.post('/wechat/push/:appId', limit, async (c) => {
    const { text, appId, sentAt } = await verified(c);
    const requestId = c.get('requestId');
    const fields = await readPushMessage(text);
    if (!fields) log.warn({ requestId, appId }, 'push: neither XML nor a JSON object');
    // The signature covers its parts sorted and joined: an old one holds too where its nonce is given for the time.
    else if (Math.abs(sentAt - (createdAtOf(fields) ?? sentAt)) > maxDelayMs) {
      log.warn({ requestId, appId, check: 'age inside' }, 'push ignored');
    } else await once.run(hash('sha256', `${appId} ${text}`), () => handle(fields, appId, requestId));
    return c.text('success');
  });

  app.onError((error, c) => {
    const requestId = c.get('requestId');
    if (error instanceof PushRefusal) {
      log.warn({ requestId, check: error.check }, 'push refused');
      return c.json({ status: 'refused' }, 403);
    }
    if (error instanceof StoreError && error.kind === 'unavailable') {
      log.warn({ requestId, code: error.code }, 'push not applied: the database is not available');
      return c.json({ status: 'database unavailable' }, 503);
    }
    log.error({ requestId, ...describeError(error) }, 'push failed');
    return c.json({ status: 'failed' }, 500);
  });
  return app;

  function secretsOf(c: HonoContext<CallEnv>): PushSecrets {
    const secrets = apps.get(c.req.param('appId') ?? '');
    if (!secrets) throw new PushRefusal('app');
    return secrets;
  }

  /** The text of a push that WeChat made for this app within the last minutes. */
  async function verified(c: HonoContext<CallEnv>): Promise<{ text: string; appId: string; sentAt: number }> {
    const { token, key } = secretsOf(c);
    const [timestamp, nonce] = [parameter(c, 'timestamp'), parameter(c, 'nonce')];
    const signature = parameter(c, 'msg_signature');
    const encrypted = encryptedIn(await c.req.text());
    if (encrypted === null) throw new PushRefusal('in clear');
    if (!isPushSignature(signature, token, [timestamp, nonce, encrypted])) throw new PushRefusal('signature');
    const sentAt = Number(timestamp) * 1000;
    if (!(Math.abs(now() - sentAt) <= maxAgeMs)) throw new PushRefusal('age');
    const opened = openPush(encrypted, key);
    if (!opened) throw new PushRefusal('decryption');
    if (opened.appId !== c.req.param('appId')) throw new PushRefusal('app inside');
    return { ...opened, sentAt };
  }

  async function handle(fields: PushFields, appId: string, requestId: string): Promise<void> {
    const event = toPushEvent(fields, appId);
    const guarded = guardedStore(store, { statementTimeoutMs: databaseTimeoutMs });
    const isDone = await applyPush({ store: guarded, onUserDeleted, now }, event, appId);
    if (event.kind !== 'other') log.info({ requestId, appId, count: Number(isDone) }, `push: ${event.kind} a user`);
    if (event.kind === 'other' || (event.kind === 'clear' && event.others)) await onPush({ appId, fields });
  }
}

/** A parameter that stands in the query exactly once, in printable ASCII. */
function parameter(c: HonoContext<CallEnv>, name: string): string {
  const [value = '', ...others] = c.req.queries(name) ?? [];
  if (others.length > 0 || !/^[\x21-\x7e]{1,256}$/.test(value)) throw new PushRefusal(name);
  return value;
}
