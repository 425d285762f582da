import { mkdir } from 'node:fs/promises';
import sharp from 'sharp';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../bundle.ts';
import type { Preview } from '../server.ts';
import { startBackend, type Backend } from '../../../test/support/backend.ts';
import { artifacts, hasChromium, launchChromium, openPreview } from './browser.ts';
import { pushSetting } from './stage.ts';

/** A photo of a camera: too large to be sent as it is. */
function largePhoto(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width: 900, height: 900, channels: 3, background: 'teal', noise } })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

/** The width of a picture once the browser has it. */
async function widthOf(image: Locator): Promise<number> {
  return image.evaluate(async (element) => {
    await (element as HTMLImageElement).decode();
    return (element as HTMLImageElement).naturalWidth;
  });
}

let backend: Backend;
let preview: Preview;
let browser: Browser;
let page: Page;
/** Every session key that 玲玲 has had. */
const sessionKeys = new Set<string>();
const noteSessionKey = () => sessionKeys.add(backend.standin.person('lingling').sessionKey);

beforeAll(async () => {
  if (!hasChromium) return;
  await mkdir(artifacts, { recursive: true });
  backend = await startBackend({ env: pushSetting });
  backend.clock.now = Date.now();
  preview = await openPreview(backend);
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1280, height: 890 } });
});
afterAll(async () => {
  await browser?.close();
  await preview?.close();
  await backend?.close();
});

/** A button of the desk. */
const press = (name: string) => page.getByRole('button', { name }).click();

test.runIf(process.env['REQUIRE_CHROMIUM'] === '1')('Chromium is there, as REQUIRE_CHROMIUM demands', () => {
  expect(hasChromium).toBe(true);
});

test.skipIf(!hasChromium)(
  'the whole story runs in Chromium',
  async () => {
    const startedAt = performance.now();
    const away: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => {
      const isOurs = ['data:', `${preview.url}/`, `${backend.url}/avatars/`].some((start) =>
        request.url().startsWith(start),
      );
      if (!isOurs) away.push(request.url());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    const phone = page.frameLocator('#screen');
    const see = (text: string) => phone.getByText(text).first().waitFor({ timeout: 20_000 });
    const tap = (text: string) => phone.getByText(text, { exact: true }).last().click();
    const row = page.locator('#row');
    const keep = (name: string) => page.screenshot({ path: `${artifacts}${name}.png`, animations: 'disabled' });

    await page.goto(preview.url);
    await see('你好，新朋友');
    await see('用户隐私保护提示');
    await keep('1-privacy');
    await tap('同意并继续');

    await tap('获取用户数据');
    await see('允许');
    await keep('2-consent');
    await tap('拒绝');
    await see('没有授权也没关系');
    await keep('3-refused');

    await tap('获取用户数据');
    await tap('允许');
    await see('很高兴认识你');
    await row.getByText('阿杰').waitFor();
    await keep('4-known');
    expect(await row.innerText()).toMatch(/session_key\s+sealed/);

    await press('重新打开');
    await see('欢迎回来');
    expect(await phone.getByText('获取用户数据').count()).toBe(0);
    await page.locator('#calls').getByText('user.me').waitFor();
    await keep('5-second-launch');

    await tap('编辑资料');
    await see('点头像，换一张');
    await phone.locator('.avatar-button').click();
    await see('橘猫');
    await keep('6-chooser');
    await tap('橘猫');
    await phone.locator('input[placeholder="请输入昵称"]').fill('果壳里的猫');
    await tap('保存');
    await see('已经保存好了');
    await phone.locator('.phone-button').click();
    await see('申请获取并验证你的手机号');
    await keep('7-phone-consent');
    await tap('不允许');
    await see('没有授权手机号也没关系');
    await phone.locator('.phone-button').click();
    await tap('允许');
    await see('手机号绑定好了');
    await row.getByText('果壳里的猫').waitFor();
    expect(await row.innerText()).toMatch(/phone_number\s+sealed/);
    expect(await widthOf(row.locator('img'))).toBe(256);
    await keep('8-profile');

    const catUrl = await row.locator('img').getAttribute('src');
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      phone
        .locator('.avatar-button')
        .click()
        .then(() => tap('从电脑里选择')),
    ]);
    await chooser.setFiles({ name: 'photo.png', mimeType: 'image/png', buffer: await largePhoto() });
    await phone.locator('.hero-avatar[src^="wxfile:"]').waitFor();
    await tap('保存');
    await see('已经保存好了');
    await page.locator(`#row img:not([src="${catUrl}"])`).waitFor();
    await keep('9-own-file');
    await tap('‹');
    await see('果壳里的猫');
    expect(await widthOf(phone.locator('.hero-avatar img').first())).toBe(256);

    await press('断网');
    await press('重新打开');
    await see('连不上服务器');
    await keep('10-offline');
    await press('断网');
    await tap('重试');
    await see('欢迎回来');

    await press('玲玲');
    await see('你好，新朋友');
    await tap('同意并继续');
    noteSessionKey();
    await press('换掉会话密钥');
    await press('登录时换密钥');
    await tap('获取用户数据');
    await see('允许');
    noteSessionKey();
    await tap('允许');
    await see('资料没有通过验证');
    noteSessionKey();
    await keep('11-rejected');
    await tap('获取用户数据');
    await tap('允许');
    await see('很高兴认识你');
    noteSessionKey();
    await row.getByText('玲玲').waitFor();
    expect(await row.innerText()).toMatch(/prev_session_key\s+sealed/);
    await keep('12-rotated');

    await press('卸载重装');
    await see('欢迎回来');
    await page.locator('#calls').getByText('auth.checkUser').waitFor();
    await press('阿杰');
    await see('果壳里的猫');
    await page.locator('#calls').getByText('user.me').waitFor();
    expect(await page.locator('#calls').getByText('auth.checkUser').count()).toBe(0);
    await press('玲玲');
    // 欢迎回来 is on 阿杰's screen too.
    await see('玲玲');
    await page.locator('#calls').getByText('user.me').waitFor();

    await press('阿杰');
    await see('果壳里的猫');
    await tap('账号与安全');
    await see('这部手机');
    await see('解绑手机号');
    // The picture in docs/privacy.md.
    await page.locator('.phone').screenshot({ path: `${artifacts}account.png`, animations: 'disabled' });
    await tap('导出我的数据');
    await see('"nickName": "果壳里的猫"');
    await keep('13-account');
    await tap('复制');
    await see('内容已复制');
    await press('撤回授权');
    await page.locator('#calls').getByText('user_authorization_revoke').waitFor();
    await row.getByText('果壳里的猫').waitFor({ state: 'detached' });
    expect(await row.innerText()).toMatch(/nick_name\s+NULL[\s\S]*phone_number\s+NULL/);
    await keep('14-revoked');
    await tap('注销账号');
    await see('无法找回');
    await tap('继续');
    await see('注销立即生效');
    await keep('15-second-question');
    await tap('确定注销');
    await see('账号已注销');
    await page.locator('#row-note').getByText('还没有这个人').waitFor();
    await keep('16-deleted');

    await press('玲玲');
    await see('玲玲');
    await press('注销微信');
    await page.locator('#row-note').getByText('还没有这个人').waitFor();
    await press('重新打开');
    await see('你好，新朋友');

    expect(away).toEqual([]);
    expect(faults).toEqual([]);
    console.log(`the whole story in Chromium: ${Math.round(performance.now() - startedAt)} ms`);
  },
  // It took 18 s on a quiet machine, 47 s on a busy one.
  240_000,
);

test.skipIf(!hasChromium)(
  'the page around the phone speaks Chinese or English, and keeps to what was chosen',
  async () => {
    const others = page.locator(
      'main button:visible, main p:visible, main h2:visible, main li:visible, footer:visible',
    );
    const isShown = (name: string) => page.getByRole('button', { name, exact: true }).isVisible();
    await page.goto(preview.url);
    await page.getByRole('button', { name: '断网' }).waitFor();
    expect(await isShown('断网')).toBe(true);
    expect(await isShown('Go offline')).toBe(false);
    await press('English');
    expect(await isShown('断网')).toBe(false);
    const texts = (await others.allInnerTexts()).join('\n').replaceAll(/中文|阿杰|玲玲|老周|柠檬/g, '');
    expect(texts).toContain('The stored row');
    expect(texts).not.toMatch(/\p{Script=Han}/u);
    await page.reload();
    await page.getByRole('button', { name: 'Go offline' }).waitFor();
    expect(await isShown('断网')).toBe(false);
    await press('Go offline');
    await page.getByRole('button', { name: 'Go offline', pressed: true }).waitFor();
    await page.screenshot({ path: `${artifacts}17-english.png`, animations: 'disabled' });
    await press('Go offline');
    await press('中文');
    expect(await isShown('断网')).toBe(true);
  },
);

test.skipIf(!hasChromium)('nothing that the page shows or holds opens a session or a seal', async () => {
  const state = await page.evaluate(async () => (await fetch('/preview/state')).text());
  expect(state).toMatch(/auth\.checkUser|user\.me/);
  expect(state).toContain('prev_session_key');
  expect(sessionKeys.size).toBeGreaterThanOrEqual(4);
  for (const key of sessionKeys) expect(state).not.toContain(key);
  expect(state).not.toMatch(/v1\.|[A-Za-z0-9_-]{43}/);
});

test.skipIf(!hasChromium)('an avatar that cannot be fetched does not stop the desk', async () => {
  const { phone } = backend.standin;
  const { rawData, signature, encryptedData, iv } = phone.profile({
    user: 'ningmeng',
    profile: { avatarUrl: 'https://host.invalid/none.png' },
  });
  const { code } = phone.login({ user: 'ningmeng' });
  await backend.client().auth.login.mutate({ code, rawData, signature, encryptedData, iv });
  await press('ningmeng');
  await page.locator('#row').getByTitle('https://host.invalid/none.png').waitFor();
  await page.locator('#calls').getByText('wx.login').waitFor();
});

test.skipIf(!hasChromium)('a page’s code sees nothing of Chromium', async () => {
  const code = await bundle('./screen/sandbox.ts', 'sandbox');
  const blank = await browser.newPage();
  const names = [
    'window',
    'self',
    'document',
    'globalThis',
    'fetch',
    'URL',
    'AbortController',
    'TextDecoder',
    'localStorage',
    'eval',
    'WebAssembly',
    'queueMicrotask',
    'structuredClone',
  ];
  await blank.addScriptTag({ content: `${code}; window.sandbox = sandbox` });
  const seen = await blank.evaluate(`(() => {
    const seen = {};
    sandbox.createShadowSandbox()('seen.types = [${names.map((name) => `typeof ${name}`).join()}]; seen.self = (function () { return typeof this })(); seen.promise = typeof Promise', 'x', { seen });
    return seen;
  })()`);
  expect(seen).toEqual({ types: names.map(() => 'undefined'), self: 'undefined', promise: 'function' });
});
