import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { type Backend, failureOf, startBackend } from '../support/backend.ts';

interface ProxyOptions {
  /** What it answers a CONNECT instead of connecting. */
  refuses?: number;
}

/** A proxy that tunnels: it notes where to, and by whose authority. */
async function startProxy({ refuses }: ProxyOptions = {}) {
  const tunnels: { to: string; authorization: string | undefined }[] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    const { url = '', headers } = request;
    tunnels.push({ to: url, authorization: headers['proxy-authorization'] });
    socket.on('error', () => {});
    if (refuses !== undefined) {
      socket.end(`HTTP/1.1 ${refuses} No\r\n\r\n`);
      return;
    }
    const [host, port] = url.split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => socket.destroy());
    socket.on('close', () => target.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, tunnels };
}

/** A gateway that hands a path on to WeChat. */
async function startGateway(prefix: string, target: () => string) {
  const server = createServer((request, response) => {
    const { url = '' } = request;
    if (!url.startsWith(`${prefix}/sns/`)) {
      response.writeHead(404).end();
      return;
    }
    void fetch(`${target()}${url.slice(prefix.length)}`).then(async (answer) => response.end(await answer.text()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`;
}

async function start(env: Record<string, string>): Promise<Backend> {
  const backend = await startBackend({ env: { WX_TIMEOUT_MS: '5000', ...env } });
  onTestFinished(() => backend.close());
  return backend;
}

function login(backend: Backend) {
  const { code } = backend.standin.phone.login({ user: 'ming' });
  return backend.client().auth.checkUser.mutate({ code });
}

const lastCall = ({ logged }: Backend) =>
  JSON.parse(logged.findLast((line) => line.includes('"msg":"call"')) ?? '{}') as Record<string, unknown>;

describe('calls to WeChat through a proxy', () => {
  test('calls go through the proxy, with its user and password, and several tunnels serve many calls', async () => {
    const proxy = await startProxy();
    const backend = await start({ HTTP_PROXY: `http://me:p%40ss@${proxy.host}` });
    for (let call = 0; call < 3; call++) expect(await login(backend)).toHaveProperty('token');
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(proxy.tunnels).toEqual([{ to: new URL(backend.standin.url).host, authorization }]);
    // A request that is sent once has a tunnel of its own.
    const { token } = await login(backend);
    await backend
      .client(token)
      .user.bindPhone.mutate({ code: backend.standin.phone.phoneNumber({ user: 'ming' }).code });
    expect(proxy.tunnels.length).toBeGreaterThan(1);
  });

  test('calls go past the proxy where NO_PROXY names the host, and without one where the variables are empty', async () => {
    const proxy = await startProxy({ refuses: 403 });
    for (const env of [
      { http_proxy: proxy.url, no_proxy: 'x.example,127.0.0.1' },
      { HTTP_PROXY: '', HTTPS_PROXY: proxy.url, NO_PROXY: '*' },
    ]) {
      expect(await login(await start(env))).toHaveProperty('token');
    }
    expect(proxy.tunnels).toEqual([]);
  });

  test('calls that a proxy refuses are told apart in the log from a WeChat that is away', async () => {
    for (const refuses of [403, 407]) {
      const proxy = await startProxy({ refuses });
      const backend = await start({ HTTP_PROXY: proxy.host });
      expect(await failureOf(login(backend))).toMatchObject({ reason: 'WECHAT_BAD_RESPONSE', retry: 'later' });
      expect(lastCall(backend)).toMatchObject({ code: 'PROXY_REFUSED', status: refuses });
    }
    const gone = await startProxy({ refuses: 502 });
    const away = await start({ HTTP_PROXY: gone.url });
    expect(await failureOf(login(away))).toMatchObject({ reason: 'WECHAT_TIMEOUT' });
    expect(lastCall(away)).toMatchObject({ code: 'UNANSWERED' });
    expect(gone.tunnels).toHaveLength(3);

    const unreachable = await start({ HTTP_PROXY: 'http://127.0.0.1:9' });
    expect(await failureOf(login(unreachable))).toMatchObject({ reason: 'WECHAT_TIMEOUT' });
    expect(lastCall(unreachable)).toMatchObject({ code: 'PROXY_UNREACHABLE' });
    const direct = await start({ WX_API_BASE_URL: 'http://127.0.0.1:9' });
    expect(await failureOf(login(direct))).toMatchObject({ reason: 'WECHAT_TIMEOUT' });
    expect(lastCall(direct)).toMatchObject({ code: 'UNANSWERED' });
  });

  test('calls keep the path of a gateway', async () => {
    let target = '';
    const url = await startGateway('/wx/api', () => target);
    for (const base of [url, `${url}/`]) {
      const backend = await start({ WX_API_BASE_URL: base });
      target = backend.standin.url;
      expect(await login(backend)).toHaveProperty('token');
    }
  });

  test('a proxy is configured by its address alone, and its password is shown in no error', () => {
    const app = { WX_APPID: 'wx0123456789abcdef', WX_SECRET: 'secret' };
    expect(loadConfig(app).secrets.proxies).toBeNull();
    expect(loadConfig({ ...app, HTTPS_PROXY: 'proxy:3128' }).secrets.proxies).toMatchObject({
      httpsProxy: 'http://proxy:3128',
    });
    for (const odd of ['socks5://me:hush@proxy', 'http://me:hush@']) {
      expect(() => loadConfig({ ...app, HTTPS_PROXY: odd })).toThrow(/^(?!.*hush)[^]*HTTPS_PROXY must be/);
    }
  });
});
