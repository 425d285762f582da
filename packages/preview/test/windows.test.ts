import { mkdir } from 'node:fs/promises';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { people } from '../people.ts';
import { startBackend, type Backend } from '../../../test/support/backend.ts';
import { artifacts, hasChromium, launchChromium, openPreview } from './browser.ts';
import { findIllegible } from './legibility.ts';

/** WeChat's own colours, which the preview does not change, and the clock, which stands over another document. */
const exempt = 'wx-button, .wechat-accept, .wechat-refuse, .phone-status';

let backend: Backend;
let browser: Browser;
beforeAll(async () => {
  if (!hasChromium) return;
  await mkdir(artifacts, { recursive: true });
  backend = await startBackend();
  backend.clock.now = Date.now();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await backend?.close();
});

test.skipIf(!hasChromium).each([
  [1366, 657],
  [1366, 768],
  [1920, 1080],
  [390, 844],
])(
  'at %i×%i the first button is in sight, nothing is cut off, and all text is legible',
  async (width, height) => {
    // A user of its own, so that each size begins with the first button.
    const newcomer = { user: `xiaoming-${width}x${height}`, note: { zh: 'xiaoming', en: 'xiaoming' } };
    const preview = await openPreview(backend, [newcomer, ...people]);
    const page = await browser.newPage({ viewport: { width, height } });
    const screen = page.frameLocator('#screen');
    const row = page.locator('#row');

    const isInSight = async (button: Locator) => {
      const { x, y, width: w, height: h } = (await button.boundingBox()) ?? { x: -1, y: -1, width: 0, height: 0 };
      return x >= 0 && x + w <= width && y >= 0 && y + h <= height;
    };
    // Asked again and again: a sheet takes a moment to rise.
    const expectInSight = (button: Locator) => expect.poll(() => isInSight(button)).toBe(true);
    const expectLegible = async (name: string) => {
      await page.screenshot({ path: `${artifacts}${width}x${height}-${name}.png`, animations: 'disabled' });
      for (const body of [page.locator('body'), screen.locator('body')]) {
        expect(await body.evaluate(findIllegible, exempt)).toEqual([]);
      }
    };
    try {
      await page.goto(preview.url);
      const agree = screen.getByText('同意并继续');
      await expectInSight(agree);
      await row.getByText('NULL').first().waitFor();
      await expectLegible('1-first-sight');
      await page.getByRole('button', { name: 'English' }).click();
      await expectInSight(agree);
      await expectLegible('1-first-sight-in-english');
      await page.getByRole('button', { name: '中文' }).click();

      await agree.click();
      const ask = screen.getByText('获取用户数据');
      await expectInSight(ask);
      await ask.click();
      const allow = screen.getByText('允许', { exact: true });
      await expectInSight(allow);
      await expectLegible('2-consent');

      await allow.click();
      await row.getByText('小明').waitFor();
      await screen.getByText('退出登录').waitFor();
      await expectLegible('3-known');

      await screen.getByText('编辑资料').click();
      await screen.getByText('点头像，换一张').waitFor();
      await expectLegible('4-profile');

      await screen.getByText('‹').click();
      await screen.getByText('账号与安全').click();
      await screen.getByText('这部手机').waitFor();
      await screen.getByText('导出我的数据').click();
      await screen.getByText('"openId"').waitFor();
      await expectLegible('5-account');
    } finally {
      await page.close();
      await preview.close();
    }
  },
  240_000,
);
