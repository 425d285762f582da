import { readFile } from 'node:fs/promises';
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import type { Language } from '../../src/cli/language.ts';
import { listen } from '../../src/http/listen.ts';
import { bundle } from './bundle.ts';
import { createPhone, type Phone, type Wechat } from './phone.ts';
import { people as usualPeople, type Holder } from './people.ts';
import { bytesOf } from './pictures/data-url.ts';
import { portraitOf } from './pictures/portraits.ts';
import { compileProgram, sampleOrigin } from './program.ts';
import { shownRow } from './row.ts';

/** Where to serve the preview, and what it shows. */
export interface PreviewOptions {
  port: number;
  host?: string;
  /** The stand-in for WeChat that the backend exchanges codes with. */
  standin: Wechat & { apps: readonly [{ appId: string }, ...unknown[]] };
  backendUrl: string;
  /** The stored row of gk_wx_user of this openid; null when there is none. */
  readRow: (openId: string) => Promise<object | null>;
  /** Who may hold the phone; the first one does at the start. */
  people?: readonly [Holder, ...Holder[]];
  /** Of the page around the phone, until its switch is used; the phone itself speaks Chinese. */
  language?: Language;
}

/** A preview that is being served. */
export interface Preview {
  url: string;
  phone: Phone;
  close(): Promise<void>;
}

const settingsChange = z
  .strictObject({
    user: z.string().min(1).max(64),
    offline: z.boolean(),
    rotateOnLogin: z.boolean(),
    anonymous: z.boolean(),
  })
  .partial();
const pushedEvent = z.strictObject({
  event: z.enum(['user_authorization_revoke', 'user_authorization_cancellation']),
  fields: z.record(z.string(), z.string()).exactOptional(),
});
const requestOptions = z.object({
  // Whether it is one is for the phone to say, in WeChat's words.
  url: z.string().max(8192),
  method: z.string().max(10),
  header: z.record(z.string(), z.string()),
  body: z
    .string()
    .max(1024 * 1024)
    .nullable(),
  timeoutMs: z.number().min(0).max(60_000),
});
const profileOptions = z.object({ lang: z.enum(['en', 'zh_CN']) });
const compressOptions = z.object({
  url: z.string().max(64 * 1024 * 1024),
  quality: z.number().min(0).max(100),
  width: z.number().int().positive().optional(),
});

/** Serves the sample mini program in a phone's frame, and the phone's native side to it, on the loopback. */
export async function startPreview({
  port,
  host = '127.0.0.1',
  standin,
  backendUrl,
  readRow,
  people = usualPeople,
  language = 'zh',
}: PreviewOptions): Promise<Preview> {
  const { appId } = standin.apps[0];
  const hosts = { [sampleOrigin]: backendUrl };
  let origin = '';
  const phone = createPhone({
    wechat: standin,
    appId,
    user: people[0].user,
    hosts,
    avatarOf: (user) => `${origin}/people/${user}.png`,
    backendUrl,
  });
  const app = new Hono();
  app.use(ownPageOnly(() => origin));
  await servePages(app, language);

  app.get('/people/:file', async (c) => {
    const picture = bytesOf(await portraitOf(c.req.param('file').replace(/\.png$/, '')));
    return c.body(new Uint8Array(picture), 200, { 'content-type': 'image/png' });
  });
  app.get('/preview/program', async (c) => {
    try {
      return c.json({ program: await compileProgram(), appId, hosts, user: phone.settings.user });
    } catch (error) {
      return c.text(String(error), 500);
    }
  });
  app.get('/preview/state', async (c) => {
    const row = await readRow(standin.person(phone.settings.user).openid).catch(() => null);
    return c.json({
      appId,
      settings: phone.settings,
      calls: phone.calls,
      row: row && shownRow(row),
      backendUrl,
      people: await Promise.all(people.map(shownPerson)),
    });
  });
  app.post('/preview/settings', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined);
    const { success, data: change } = settingsChange.safeParse(body);
    if (!success) return c.json({ error: 'the phone does not have such settings' }, 400);
    Object.assign(phone.settings, change);
    if (change.user !== undefined) phone.forgetCalls();
    return c.json({});
  });
  app.post('/preview/rotate', (c) => {
    phone.rotate();
    return c.json({});
  });
  app.post('/preview/push', async (c) => {
    const { success, data: event } = pushedEvent.safeParse(await c.req.json().catch(() => undefined));
    if (!success) return c.json({ error: 'such an event is not pushed here' }, 400);
    // What went wrong stands among the calls.
    await phone.push(event).catch(() => undefined);
    return c.json({});
  });
  app.post('/preview/forget-calls', (c) => {
    phone.forgetCalls();
    return c.json({});
  });
  serveNative(app, phone);

  async function shownPerson({ user, note }: Holder) {
    const { nickName, avatarUrl } = await phone.person(user);
    return { user, nickName, avatarUrl, note };
  }

  const listening = await listen(app, { host, port });
  origin = listening.url;
  return { ...listening, phone };
}

async function servePages(app: Hono, language: Language): Promise<void> {
  const file = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
  const [desk, screen] = await Promise.all([bundle('./desk/main.ts'), bundle('./screen/main.ts')]);
  const served: Record<string, [type: string, text: string]> = {
    '/': ['text/html', (await file('./desk/index.html')).replace('<html lang="zh">', `<html lang="${language}">`)],
    '/desk.css': ['text/css', await file('./desk/desk.css')],
    '/desk.js': ['text/javascript', desk],
    '/screen': ['text/html', await file('./screen/index.html')],
    '/screen.css': ['text/css', await file('./screen/screen.css')],
    '/screen.js': ['text/javascript', screen],
  };
  for (const [path, [type, text]] of Object.entries(served)) {
    app.get(path, (c) => c.body(text, 200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }));
  }
}

/** What the screen cannot do itself. A failure is an answer too: it has to reach the mini program in WeChat's words. */
function serveNative(app: Hono, phone: Phone): void {
  const apis = {
    login: () => phone.login(),
    checkSession: () => phone.checkSession(),
    person: () => phone.person(),
    getUserProfile: (options: unknown) => phone.getUserProfile(profileOptions.parse(options)),
    getPhoneNumber: () => phone.getPhoneNumber(),
    pictures: () => phone.pictures(),
    compressImage: (options: unknown) => phone.compressImage(compressOptions.parse(options)),
    request(options: unknown, signal: AbortSignal) {
      const task = phone.request(requestOptions.parse(options));
      signal.addEventListener('abort', () => task.abort());
      return task.answer;
    },
  };
  for (const [name, act] of Object.entries(apis)) {
    app.post(`/native/${name}`, async (c) => {
      try {
        return c.json({ result: (await act(await c.req.json(), c.req.raw.signal)) ?? null });
      } catch (error) {
        return c.json({ error: error instanceof Error ? error.message : String(error) });
      }
    });
  }
}

/** The native side logs people in: no other web page in the same browser may reach it, by whatever name it knows us. */
function ownPageOnly(origin: () => string): MiddlewareHandler {
  return async (c, next) => {
    const { host } = new URL(origin());
    const hosts = [host, host.replace('127.0.0.1', 'localhost')];
    const asked = c.req.header('host') ?? '';
    if (!hosts.includes(asked)) return c.text('unknown host', 403);
    if ((c.req.header('origin') ?? `http://${asked}`) !== `http://${asked}`) return c.text('unknown origin', 403);
    if (c.req.method === 'POST' && c.req.header('content-type') !== 'application/json') return c.text('JSON only', 415);
    return next();
  };
}
