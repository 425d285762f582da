import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Answer } from './answer.ts';
import { knownCallersOnly } from './callers.ts';
import { deliver } from './deliver.ts';
import type { Endpoint } from './endpoint.ts';
import type { Faults } from './faults.ts';
import { PhoneError, type PhoneOfAnything } from './phone.ts';
import { replyWith } from './reply.ts';
import type { Traffic } from './traffic.ts';
import { type Language, welcome } from './welcome.ts';

interface Deps {
  endpoints: readonly Endpoint[];
  phone: PhoneOfAnything;
  faults: Faults;
  traffic: Traffic;
  defaultAppId: string;
  language: Language;
  /** The address that is listened on. */
  host: string;
  /** Stops listening for a while, every connection reset. */
  away: (ms: number) => void;
  /** Is given a method, a path and an outcome; never a query. */
  log: ((line: string) => void) | undefined;
}

/** As in `HttpBindings` of @hono/node-server, whose declarations need those of a browser. */
type StandinApp = Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>;

/** Both sides as one Hono app: WeChat's, with its faults and counts, and the phone's. */
export function createApp(deps: Deps): StandinApp {
  const app: StandinApp = new Hono();
  app.use(knownCallersOnly(deps));
  for (const endpoint of deps.endpoints) serveEndpoint(app, endpoint, deps);
  servePhone(app, deps.phone);
  const { endpoints, defaultAppId: appId, language } = deps;
  app.get('/', (c) => c.text(welcome({ url: new URL(c.req.url).origin, appId, endpoints, language })));
  app.notFound((c) => {
    const { path } = c.req;
    deps.traffic.enter({ path, code: undefined, query: new URL(c.req.url).searchParams }).left();
    deps.log?.(`${c.req.method} ${path} 404`);
    return c.text('there is no such path here', 404);
  });
  return app;
}

function serveEndpoint(app: StandinApp, endpoint: Endpoint, { faults, traffic, away, log }: Deps): void {
  const { method, path } = endpoint;
  app.on(method, path, async (c) => {
    const { outgoing } = c.env;
    const request = {
      query: new URL(c.req.url).searchParams,
      body: method === 'POST' ? await c.req.text() : '',
      contentType: c.req.header('content-type') ?? '',
    };
    const code = endpoint.codeOf(request);
    const passage = traffic.enter({ path, code, query: request.query });
    outgoing.once('close', () => passage.left());

    const strike = faults.strike({ path, code });
    const spend = strike?.spend ?? true;
    const answer = endpoint.answer(request, { spend });
    if (spend && endpoint.succeeded(answer)) passage.succeeded({ charged: endpoint.charges });
    log?.(`${method} ${path} ${strike ? `fault ${strike.fault.kind}` : outcome(answer)}`);

    if (strike?.fault.kind === 'away') away(strike.fault.ms);
    else deliver(outgoing, replyWith(answer, strike?.fault), strike?.fault);
    return RESPONSE_ALREADY_SENT;
  });
}

function outcome({ errcode = 'ok' }: Answer): string {
  return typeof errcode === 'string' ? errcode : JSON.stringify(errcode);
}

function servePhone(app: StandinApp, phone: PhoneOfAnything): void {
  const actions = {
    login: phone.login,
    profile: phone.profile,
    'phone-number': phone.phoneNumber,
    'plugin-login': phone.pluginLogin,
    'open-data': phone.openData,
    push: phone.push,
    'check-session': phone.checkSession,
    rotate: phone.rotate,
    block: phone.block,
    fault: phone.fault,
    reset: phone.reset,
  };
  app.use(
    '/phone/*',
    bodyLimit({ maxSize: 2 * 1024 * 1024, onError: (c) => c.json({ error: 'the body is over 2 MB' }, 413) }),
  );
  app.get('/phone/stats', (c) => c.json(phone.stats({})));
  for (const [name, act] of Object.entries(actions)) {
    app.post(`/phone/${name}`, async (c) => c.json(await act(parsed(await c.req.text()))));
  }
  app.onError((error, c) => {
    if (error instanceof PhoneError) return c.json({ error: error.message }, 400);
    throw error;
  });
}

function parsed(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new PhoneError('the body is not JSON');
  }
}
