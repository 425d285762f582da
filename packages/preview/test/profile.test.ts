import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Screen } from '../launch.ts';
import type { Program } from '../native.ts';
import { shrink } from '../pictures/shrink.ts';
import { compileProgram } from '../program.ts';
import { agreeToPrivacy, allowProfile, createStage, tapTwice } from './stage.ts';

let program: Program;
let stage: Awaited<ReturnType<typeof createStage>>;
let screen: Screen;
beforeAll(async () => {
  program = await compileProgram();
});
beforeEach(async () => {
  stage = await createStage({ program });
});
afterEach(() => stage.close());

const page = '[data-path="pages/profile/profile"]';
const placeholder = '请输入昵称';

/** The profile page of a new user. */
async function openProfile(): Promise<void> {
  screen = await stage.launch();
  await agreeToPrivacy(screen);
  screen.tap('自己填写头像和昵称');
  await screen.see('点头像，换一张');
}

async function choosePicture(name: string): Promise<void> {
  screen.tapElement(`${page} .avatar-button`);
  await screen.see(name);
  screen.tap(name);
  await expect.poll(shownPicture).toMatch(/^wxfile:/);
}

function save(nickName: string): void {
  screen.type(placeholder, nickName);
  tapSave();
}

/** Not by its text, which stands in sentences too. */
const tapSave = () => screen.tapElement(`${page} .action`);

async function bindPhone(answer = '允许'): Promise<void> {
  screen.tapElement(`${page} .phone-button`);
  await screen.see('申请获取并验证你的手机号');
  screen.tap(answer);
}

const shownPicture = () => screen.document.querySelector(`${page} wx-image`)?.getAttribute('src');
const isEnabled = (selector: string) => !screen.document.querySelector(`${page} ${selector}`)?.hasAttribute('disabled');

function putIntoAlbum(name: string, bytes: Buffer, type = 'image/png'): void {
  stage.phone.album.push({ name, url: `data:${type};base64,${bytes.toString('base64')}` });
}

/** Noise, which nothing compresses: 3 MB. */
function hugePicture(): Promise<Buffer> {
  const raw = { width: 1024, height: 1024, channels: 3 } as const;
  return sharp(randomBytes(1024 * 1024 * 3), { raw })
    .png()
    .toBuffer();
}

/** A picture of exactly so many bytes: what follows the end of a PNG is not looked at. */
async function pictureOf(bytes: number): Promise<Buffer> {
  const small = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  return Buffer.concat([small, Buffer.alloc(bytes - small.length)]);
}

describe('the profile page', () => {
  test('the page stores a picture, a name and a phone number, and an anonymous profile takes none of them away', async () => {
    // Another phone of the same person, which will not have heard of it.
    const other = await stage.launch({ onAnotherPhone: true });
    await agreeToPrivacy(other);

    await openProfile();
    await choosePicture('橘猫');
    save('果壳里的猫 🐱');
    await screen.see('已经保存好了');
    await bindPhone();
    await screen.see('手机号绑定好了');
    const { phoneNumber } = stage.backend.standin.person(stage.phone.settings.user);
    const masked = `${phoneNumber.slice(0, 3)}****${phoneNumber.slice(-4)}`;
    expect(screen.text()).toContain(masked);

    const row = await stage.stored();
    expect(row).toMatchObject({
      nickName: '果壳里的猫 🐱',
      avatarUrl: expect.stringMatching(/^\/avatars\/[0-9a-f]{64}\.webp$/) as string,
      phoneNumber: expect.stringMatching(/^v1\./) as string,
    });
    expect(JSON.stringify(row)).not.toContain(phoneNumber);
    // Neither a picture nor a token stands in what is shown of the calls.
    expect(stage.phone.calls.map(({ detail }) => detail).join()).toMatch(/nickName 果壳里的猫 🐱 · avatar \d+ KB/u);
    expect(JSON.stringify(stage.phone.calls)).not.toMatch(/[\w+/-]{40}/);

    screen.tap('‹');
    await screen.see('欢迎回来');
    expect(screen.text()).toContain('果壳里的猫 🐱');
    await expectCat();

    await stage.stopServer();
    await stage.restartServer();
    stage.phone.settings.anonymous = true;
    await allowProfile(other);
    await other.see('果壳里的猫 🐱');
    expect(stage.calls().at(-1)).toBe('auth.login 200');
    const { nickName, avatarUrl, phoneNumber: sealed } = (await stage.stored()) ?? {};
    expect({ nickName, avatarUrl, phoneNumber: sealed }).toEqual({
      nickName: row?.nickName,
      avatarUrl: row?.avatarUrl,
      phoneNumber: row?.phoneNumber,
    });
    screen = await stage.launch();
    await screen.see('欢迎回来');
    await expectCat();
    screen.tap('编辑资料');
    await screen.see('已绑定');
    expect([...screen.errors, ...other.errors]).toEqual([]);
  });

  /** The index page shows the picture that was chosen, and the server has it. */
  async function expectCat(): Promise<void> {
    const image = screen.document.querySelector<HTMLImageElement>('[data-path="pages/index/index"] wx-image img');
    const answer = await fetch(image?.src ?? '');
    expect(answer.headers.get('content-type')).toBe('image/webp');
    const { data } = await sharp(Buffer.from(await answer.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const muzzle = [0, 1, 2].map((channel) => data[(200 * 256 + 128) * 3 + channel] ?? 0);
    expect(muzzle[0]).toBeGreaterThan(240);
    expect(muzzle[2]).toBeLessThan(240);
  }

  test('the page is offered to a user without a name from WeChat, and the first page then knows them', async () => {
    stage.phone.settings.anonymous = true;
    screen = await stage.launch();
    await agreeToPrivacy(screen);
    await allowProfile(screen);
    await screen.see('完善资料');
    screen.tap('完善资料');
    await screen.see('点头像，换一张');
    save('柠檬');
    await screen.see('已经保存好了');
    screen.tap('‹');
    await screen.see('欢迎回来');
    expect(screen.text()).toContain('柠檬');
    expect(screen.text()).not.toContain('完善资料');
  });

  test('a name is changed without the picture, and the other way round', async () => {
    await openProfile();
    await choosePicture('日出');
    save('山海');
    await screen.see('已经保存好了');
    const first = await stage.stored();
    await expect.poll(shownPicture).toBe(`http://127.0.0.1:8080${first?.avatarUrl ?? ''}`);
    save('山与海');
    await screen.see('已经保存好了');
    expect(await stage.stored()).toMatchObject({ nickName: '山与海', avatarUrl: first?.avatarUrl });
    expect(stage.phone.calls.at(-1)?.detail).toBe('nickName 山与海');
    await choosePicture('用微信头像');
    tapSave();
    await screen.see('已经保存好了');
    const last = await stage.stored();
    expect(last?.nickName).toBe('山与海');
    expect(last?.avatarUrl).not.toBe(first?.avatarUrl);
  });

  test('a name that another phone has changed meanwhile is not written back', async () => {
    await openProfile();
    save('山海');
    await screen.see('已经保存好了');
    const other = await stage.launch({ onAnotherPhone: true });
    await other.see('山海');
    other.tap('编辑资料');
    await other.see('点头像，换一张');
    other.type(placeholder, '山与海');
    other.tapElement(`${page} .action`);
    await other.see('已经保存好了');

    screen = await stage.launch();
    await screen.see('欢迎回来');
    screen.tap('编辑资料');
    await screen.see('点头像，换一张');
    await choosePicture('橘猫');
    tapSave();
    await screen.see('已经保存好了');
    expect(await stage.stored()).toMatchObject({ nickName: '山与海', avatarUrl: expect.any(String) as string });
  });

  test('the page may be left while it saves: the first page knows the user once it is done', async () => {
    await openProfile();
    await choosePicture('橘猫');
    const release = stage.holdAnswersOf('user.updateProfile');
    save('柠檬');
    screen.tap('‹');
    await screen.see('你好，新朋友');
    release();
    await screen.see('欢迎回来');
    expect(screen.text()).toContain('柠檬');
    await expectCat();
    expect(screen.errors).toEqual([]);
  });

  test('the page opens once, and saves once, when it is tapped twice', async () => {
    screen = await stage.launch();
    await agreeToPrivacy(screen);
    tapTwice(screen, '.link');
    await screen.see('点头像，换一张');
    expect(screen.document.querySelectorAll(page)).toHaveLength(1);
    screen.type(placeholder, '果壳');
    tapTwice(screen, `${page} .action`);
    await screen.see('已经保存好了');
    // Two of them would travel together, as one call.
    expect(stage.calls().slice(2)).toEqual(['user.updateProfile 200']);
    screen.tap('‹');
    await screen.see('欢迎回来');
    screen.tap('编辑资料');
    await screen.see('点头像，换一张');
  });

  test('the page stays usable when the album cannot be opened', async () => {
    const pictures = stage.phone.pictures.bind(stage.phone);
    stage.phone.pictures = () => Promise.reject(new Error('the album is broken'));
    await openProfile();
    screen.tapElement(`${page} .avatar-button`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(screen.text()).not.toContain('橘猫');
    stage.phone.pictures = pictures;
    await choosePicture('橘猫');
  });

  test('the page changes nothing when the chooser is closed or the name is left empty', async () => {
    await openProfile();
    screen.tapElement(`${page} .avatar-button`);
    await screen.see('取消');
    screen.tap('取消');
    save('   ');
    await screen.see('请先写一个昵称');
    expect(shownPicture()).toBeUndefined();
    expect(await stage.stored()).toMatchObject({ nickName: null, avatarUrl: null });
    expect(stage.calls()).toEqual(['wx.login ok', 'auth.checkUser 200']);
  });

  test('the page says that a name cannot be used, and takes the next one', async () => {
    await openProfile();
    for (const name of ['微信用户', '果\u202e壳']) {
      save(name);
      await screen.see('这个昵称不能用，请换一个');
    }
    save('果壳');
    await screen.see('已经保存好了');
  });

  test('the page says that a file is not a picture, and takes the next one', async () => {
    putIntoAlbum('不是图片', Buffer.from('this is not a picture'));
    await openProfile();
    await choosePicture('不是图片');
    save('果壳');
    await screen.see('这张图片打不开，请换一张');
    expect(await stage.stored()).toMatchObject({ nickName: null, avatarUrl: null });
    await choosePicture('雪山');
    tapSave();
    await screen.see('已经保存好了');
  });

  test('the page sends no picture over the 100 KB that wx.cloud.callContainer takes, name and all', async () => {
    const sizes: number[] = [];
    const request = stage.phone.request.bind(stage.phone);
    stage.phone.request = (options) => {
      sizes.push(Buffer.byteLength(options.body ?? ''));
      return request(options);
    };
    // One that nothing compresses, and one just under the limit, which is sent as it is.
    putIntoAlbum('原图', await hugePicture());
    putIntoAlbum('刚好', await pictureOf(69_000));
    await openProfile();
    for (const name of ['原图', '刚好']) {
      await choosePicture(name);
      save('果'.repeat(64));
      await screen.see('已经保存好了');
      await expect.poll(shownPicture).toMatch(/^http/);
    }
    expect(Math.max(...sizes)).toBeGreaterThan(90_000);
    expect(Math.max(...sizes)).toBeLessThan(100_000);
  });

  test('a picture that is too large to be sent is made smaller', async () => {
    putIntoAlbum('原图', await hugePicture());
    await openProfile();
    await choosePicture('原图');
    save('果壳');
    await screen.see('已经保存好了');
    expect(stage.calls().at(-1)).toBe('user.updateProfile 200');
    expect(await stage.stored()).toMatchObject({ avatarUrl: expect.stringContaining('/avatars/') as string });
  });

  test('a picture that stays too large is told, and nothing is sent', async () => {
    putIntoAlbum('原图', await hugePicture());
    // As before base library 2.26.0: the width is not heeded.
    stage.phone.compressImage = ({ url, quality }) => shrink({ url, quality });
    await openProfile();
    await choosePicture('原图');
    save('果壳');
    await screen.see('这张图片太大了，请换一张小一点的');
    putIntoAlbum('坏了的原图', Buffer.alloc(1024 * 1024, 'no picture'));
    await choosePicture('坏了的原图');
    tapSave();
    await screen.see('这张图片太大了，请换一张小一点的');
    expect(stage.calls()).toEqual(['wx.login ok', 'auth.checkUser 200']);
    await choosePicture('橘猫');
    tapSave();
    await screen.see('已经保存好了');
  });

  test('the page keeps what was written while there is no network or no server, and saves it afterwards', async () => {
    await openProfile();
    await choosePicture('橘猫');
    stage.phone.settings.offline = true;
    save('果壳');
    await screen.see('连不上服务器');
    screen.tapElement(`${page} .phone-button`);
    await screen.see('允许');
    screen.tap('允许');
    await screen.see('微信现在给不了手机号');
    stage.phone.settings.offline = false;
    await stage.stopServer();
    await bindPhone();
    await screen.see('连不上服务器');
    await stage.restartServer();
    tapSave();
    await screen.see('已经保存好了');
    expect(await stage.stored()).toMatchObject({ nickName: '果壳', avatarUrl: expect.any(String) as string });
  });

  test('a session that was revoked meanwhile goes unnoticed', async () => {
    await openProfile();
    await stage.backend.store.deleteSessionsOf(stage.backend.standin.person(stage.phone.settings.user).openid, 0);
    await choosePicture('橘猫');
    save('果壳');
    await screen.see('已经保存好了');
    expect(stage.calls().slice(-4)).toEqual([
      'user.updateProfile 401 SESSION_INVALID',
      'wx.login ok',
      'auth.checkUser 200',
      'user.updateProfile 200',
    ]);
  });
});

describe('the phone number button', () => {
  test('a refused phone number can be asked for again', async () => {
    await openProfile();
    await bindPhone('不允许');
    await screen.see('没有授权手机号也没关系');
    expect(stage.calls()).not.toContain('getPhoneNumber ok');
    expect(await stage.stored()).toMatchObject({ phoneNumber: null });
    save('果壳');
    await screen.see('已经保存好了');
    await bindPhone();
    await screen.see('手机号绑定好了');
  });

  test('a user who refuses the privacy agreement is not asked for a number', async () => {
    screen = await stage.launch();
    await screen.see('用户隐私保护提示');
    screen.tap('暂不');
    screen.tap('自己填写头像和昵称');
    await screen.see('使用前请阅读并同意');
    screen.tap('拒绝');
    await screen.see('没有同意隐私保护指引，微信不会提供头像、昵称和手机号');
    screen.tapElement(`${page} .phone-button`);
    await screen.see('使用前请阅读并同意');
    screen.tap('拒绝');
    await screen.see('没有同意隐私保护指引，微信不会提供手机号');
    expect(screen.text()).not.toContain('申请获取并验证你的手机号');
    await bindPhoneAfterAgreeing();
  });

  test.each(['no permission', 'api scope is not declared in the privacy agreement'])(
    'a WeChat that gives no number for %s is told, with who must act',
    async (errMsg) => {
      stage.phone.getPhoneNumber = () => Promise.reject(new Error(errMsg));
      await openProfile();
      await bindPhone();
      await screen.see('这个小程序没有获取手机号的权限，请联系它的开发者');
    },
  );

  async function bindPhoneAfterAgreeing(): Promise<void> {
    screen.tapElement(`${page} .phone-button`);
    await screen.see('使用前请阅读并同意');
    screen.tap('同意');
    await screen.see('申请获取并验证你的手机号');
    screen.tap('允许');
    await screen.see('手机号绑定好了');
  }

  test.each([
    [40029, '这次授权已经失效，请再点一次按钮'],
    [45011, '操作太频繁了，请过一分钟再试'],
    [40013, '这个功能暂时不可用，请联系这个小程序的开发者'],
    [-1, '服务器正忙，请过一会儿再试'],
  ])('WeChat’s %i is explained, and the page stays usable', async (errcode, sentence) => {
    await openProfile();
    const path = '/wxa/business/getuserphonenumber';
    stage.backend.standin.phone.fault({ path, times: 3, fault: { kind: 'errcode', errcode } });
    await bindPhone();
    await screen.see(sentence);
    expect(isEnabled('.phone-button')).toBe(true);
    expect(await stage.stored()).toMatchObject({ phoneNumber: null });
    stage.backend.standin.phone.reset({ what: 'faults' });
    // The backend spares WeChat for a while after a 45011.
    stage.backend.clock.now += 61_000;
    await bindPhone();
    await screen.see('手机号绑定好了');
  });

  test('a rate limit is told, and a name is saved all the same', async () => {
    await stage.close();
    stage = await createStage({ program, env: { RATE_LIMIT_PER_MINUTE: '1' } });
    await openProfile();
    await bindPhone();
    await screen.see('操作太频繁了，请过一分钟再试');
    save('果壳');
    await screen.see('已经保存好了');
  });

  test('a number that is bound later replaces the first', async () => {
    await openProfile();
    await bindPhone();
    await screen.see('手机号绑定好了');
    const first = await stage.stored();
    stage.backend.standin.phone.phoneNumber({ user: stage.phone.settings.user, phoneNumber: '13800002222' });
    await bindPhone();
    await screen.see('138****2222');
    expect((await stage.stored())?.phoneNumber).not.toBe(first?.phoneNumber);
  });
});
