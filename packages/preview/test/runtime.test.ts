import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createDrawer, launchInJsdom } from '../launch.ts';
import { createPhone } from '../phone.ts';
import { compileProgram } from '../program.ts';
import { devApp, startStandin } from '../../standin/src/server.ts';

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A page whose button runs `body`, which reports through `say`. */
async function launchPage(
  body: string,
  { wxml = '', hosts = {} }: { wxml?: string; hosts?: Record<string, string> } = {},
) {
  const root = await mkdtemp(path.join(tmpdir(), 'guoke-page-'));
  cleanups.push(() => rm(root, { recursive: true }));
  await mkdir(path.join(root, 'pages'));
  const files = {
    'app.json': `{ "pages": ["pages/one", "pages/two"],
      "window": { "navigationBarBackgroundColor": "#ededed", "navigationBarTextStyle": "black" } }`,
    'app.wxss': '',
    'app.ts': "import { log } from './log'; App({ onLaunch() { log.push('launched'); } })",
    'log.ts': 'export const log: string[] = []',
    'pages/one.json': '{}',
    'pages/one.wxss': '',
    'pages/one.wxml': `<view><button bindtap="go">go</button><view>{{said}}</view>${wxml}</view>`,
    'pages/one.ts': `import { log } from '../log';
      Page({ data: { said: '' }, say(said) { this.setData({ said: this.data.said + ' ' + said }); },
        onShow() { log.push('shown'); }, onHide() { log.push('hidden'); }, go() { const say = (said) => this.say(said); ${body} } })`,
    'pages/two.json': '{ "navigationBarBackgroundColor": "#07c160", "navigationBarTextStyle": "white" }',
    'pages/two.wxss': '',
    'pages/two.wxml': '<view bindtap="back">second {{id}}</view>',
    'pages/two.ts': 'Page({ onLoad({ id }) { this.setData({ id }); }, back() { wx.navigateBack(); } })',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(root, name), text);
  const standin = await startStandin();
  cleanups.push(() => standin.close());
  const native = createPhone({ wechat: standin, appId: devApp.appId, hosts });
  const screen = await launchInJsdom({ program: await compileProgram({ root }), native, drawer: createDrawer() });
  cleanups.push(() => screen.close());
  return screen;
}

async function listen(answer: RequestListener): Promise<Record<string, string>> {
  const server: Server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { 'https://api.example': `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a page sees ECMAScript, timers and WeChat, and nothing of the browser or of Node', async () => {
  const names = [
    'window',
    'document',
    'globalThis',
    'fetch',
    'URL',
    'Headers',
    'AbortController',
    'TextDecoder',
    'FormData',
    'Blob',
    'process',
    'Buffer',
    'queueMicrotask',
    'WebAssembly',
  ];
  const screen = await launchPage(
    `say([${names.map((name) => `typeof ${name}`).join(', ')}, typeof Promise, typeof setTimeout, typeof wx, typeof getApp])`,
  );
  screen.tap('go');
  expect(screen.text()).toContain(
    [...names.map(() => 'undefined'), 'function', 'function', 'object', 'function'].join(','),
  );
});

test('a page can make no code of strings', async () => {
  const screen = await launchPage("try { say(Function('return 1')()) } catch (error) { say(error.name) }");
  screen.tap('go');
  expect(screen.text()).toContain('EvalError');
});

test('getUserProfile is refused outside a tap, after an await and with a long desc', async () => {
  const fail = 'fail: ({ errMsg }) => say(errMsg)';
  const screen = await launchPage(`
    wx.getUserProfile({ desc: '${'长'.repeat(31)}', ${fail} });
    Promise.resolve().then(() => wx.getUserProfile({ desc: '名字', ${fail} }));`);
  screen.tap('go');
  await screen.see('desc length does not meet the requirements');
  await screen.see('can only be invoked by user TAP gesture');
});

test('a file that is not there, and one of another encoding, cannot be read', async () => {
  const screen = await launchPage(`
    const files = wx.getFileSystemManager();
    const fail = ({ errMsg }) => say(errMsg);
    const given = files.readFile({ filePath: 'wxfile://tmp_9.png', encoding: 'base64', fail });
    files.readFile({ filePath: 'wxfile://tmp_9.png', encoding: 'utf8', fail });
    wx.compressImage({ src: 'wxfile://tmp_9.png', fail: ({ errMsg }) => say(errMsg.slice(0, 18)) });
    say(typeof given);`);
  screen.tap('go');
  expect(screen.text()).toContain('undefined');
  await screen.see("readFile:fail no such file or directory, open 'wxfile://tmp_9.png'");
  await screen.see('readFile:fail the preview reads files as base64 only');
  await screen.see('compressImage:fail');
});

test('a registered domain is where the network says, whatever stands behind its name', async () => {
  const hosts = await listen(({ url }, response) => response.end(`asked for ${url}`));
  const screen = await launchPage(
    "wx.request({ url: 'https://api.example?a=1', complete: ({ data, errMsg }) => say(data || errMsg) })",
    { hosts },
  );
  screen.tap('go');
  await screen.see('asked for /?a=1');
});

test('every HTTP status lands in success, and HTML is left as it is', async () => {
  const hosts = await listen((_, response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
  const screen = await launchPage(
    "wx.request({ url: 'https://api.example/a', success: ({ statusCode, data }) => say(statusCode + data) })",
    { hosts },
  );
  screen.tap('go');
  await screen.see('502<h1>Bad Gateway</h1>');
});

test('a slow server, an abort and an unknown domain each fail in WeChat’s words', async () => {
  const hosts = await listen(() => undefined);
  const fail = 'fail: ({ errMsg }) => say(errMsg)';
  const screen = await launchPage(
    `
    wx.request({ url: 'https://api.example/a', timeout: 30, ${fail} });
    wx.request({ url: 'https://api.example/b', ${fail} }).abort();
    wx.request({ url: 'https://elsewhere.example/', ${fail} });
    wx.request({ url: 'elsewhere', ${fail} });`,
    { hosts },
  );
  screen.tap('go');
  await screen.see('request:fail timeout');
  await screen.see('request:fail abort');
  await screen.see('request:fail url not in domain list');
  await screen.see('request:fail invalid url "elsewhere"');
});

test('ten requests run at once, and the eleventh waits for its turn', async () => {
  let running = 0;
  let most = 0;
  const hosts = await listen((_, response) => {
    most = Math.max(most, ++running);
    setTimeout(() => response.end(String(--running)), 20);
  });
  const screen = await launchPage(
    "let done = 0; for (let i = 0; i < 25; i++) wx.request({ url: 'https://api.example/' + i, success: () => { if (++done === 25) say('all'); } })",
    { hosts },
  );
  screen.tap('go');
  await screen.see('all');
  expect(most).toBe(10);
});

test('pages share their modules, and are told when they are covered and shown again', async () => {
  const screen = await launchPage("say(log.join()); wx.navigateTo({ url: 'two?id=7' })");
  screen.tap('go');
  expect(screen.text()).toContain('launched,shown');
  await screen.see('second 7');
  expect(screen.text()).not.toContain('go');
  screen.tap('second');
  await screen.see('go');
  screen.tap('go');
  await screen.see('launched,shown,hidden,shown');
});

test('the bar of a page has the colours of app.json, or its own', async () => {
  const screen = await launchPage("wx.navigateTo({ url: 'two?id=7' })");
  const bar = screen.document.querySelector<HTMLElement>('.wechat-bar');
  expect([bar?.style.background, bar?.dataset['text']]).toEqual(['rgb(237, 237, 237)', 'black']);
  screen.tap('go');
  await screen.see('second 7');
  expect([bar?.style.background, bar?.dataset['text']]).toEqual(['rgb(7, 193, 96)', 'white']);
});

test('the first page cannot be left', async () => {
  const screen = await launchPage(
    'wx.navigateBack({ success: () => say("left"), fail: ({ errMsg }) => say(errMsg + log.join()) })',
  );
  screen.tap('go');
  await screen.see('navigateBack:fail cannot navigate back at first page.launched,shown');
});

test('a tag that the preview does not know is refused when it is compiled', async () => {
  await expect(launchPage('', { wxml: '<swiper></swiper>' })).rejects.toThrow('does not know <swiper>');
});
