import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundle } from '../../client/bundle.mts';
import type { Program } from '../native.ts';
import { compileProgram } from '../program.ts';
import { agreeToPrivacy, allowProfile, createStage, tapTwice } from './stage.ts';

let program: Program;
let stage: Awaited<ReturnType<typeof createStage>>;
beforeAll(async () => {
  program = await compileProgram();
});
beforeEach(async () => {
  stage = await createStage({ program });
});
afterEach(() => stage.close());

describe('the sample mini program', () => {
  test('the sample greets a new user, asks for the profile in the tutorial’s order, and shows who they are', async () => {
    const screen = await stage.launch();
    await screen.see('你好，新朋友');
    expect(stage.calls()).toEqual(['wx.login ok', 'auth.checkUser 200']);
    await agreeToPrivacy(screen);
    await allowProfile(screen);
    await screen.see('很高兴认识你');
    expect(screen.text()).toContain('小明');
    expect(screen.text()).not.toContain('获取用户数据');
    expect(stage.calls()).toEqual(['wx.getUserProfile ok', 'wx.login ok', 'auth.login 200']);
    expect(await stage.stored()).toMatchObject({ nickName: '小明' });
    expect(screen.errors).toEqual([]);
  });

  test('the page shows where a user lives and what they speak in words of their language', async () => {
    await becomeKnown();
    const screen = await stage.launch();
    await screen.see('简体中文');
    expect(screen.text()).toMatch(/中国 \p{Script=Han}+ \p{Script=Han}+/u);
    expect(await stage.stored()).toMatchObject({ language: 'zh_CN', country: '中国' });
  });

  test('a logout on this phone is final: the server refuses the token, and no later launch restores it', async () => {
    await becomeKnown();
    const other = await stage.launch({ onAnotherPhone: true });
    await other.see('欢迎回来');
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    stage.calls();
    screen.tap('退出登录');
    await screen.see('已退出登录');
    expect(stage.calls()).toEqual(['auth.logout 200']);
    const { openid } = stage.backend.standin.person(stage.phone.settings.user);
    // There were three: two of the first launch, one of the other phone.
    expect(await stage.backend.store.deleteSessionsOf(openid, 0)).toBe(2);

    const next = await stage.launch();
    await next.see('已退出登录');
    expect(stage.calls()).toEqual([]);
    next.tap('重新登录');
    await next.see('欢迎回来');
    expect(stage.calls()).toEqual(['wx.login ok', 'auth.checkUser 200']);
    const last = await stage.launch();
    await last.see('欢迎回来');
    expect([...screen.errors, ...next.errors]).toEqual([]);
  });

  test('a logout that cannot reach the server leaves the user logged in, and says so', async () => {
    await becomeKnown();
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    stage.phone.settings.offline = true;
    screen.tap('退出登录');
    await screen.see('连不上服务器');
    stage.phone.settings.offline = false;
    screen.tap('重试');
    await screen.see('欢迎回来');
    expect(screen.text()).toContain('退出登录');
  });

  test('a refused profile is not stored, and can be asked for again', async () => {
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    screen.tap('获取用户数据');
    await screen.see('拒绝');
    screen.tap('拒绝');
    await screen.see('没有授权也没关系');
    expect(await stage.stored()).toMatchObject({ nickName: null });
    await allowProfile(screen);
    await screen.see('很高兴认识你');
  });

  test('a button that is tapped twice asks once', async () => {
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    tapTwice(screen, '.action');
    await screen.see('允许');
    expect(screen.document.querySelectorAll('.wechat-dialog')).toHaveLength(1);
    screen.tap('允许');
    await screen.see('很高兴认识你');
    expect(stage.calls().filter((call) => call.startsWith('wx.getUserProfile'))).toHaveLength(1);
  });

  test('the page offers to write a name, but not while a login is under way that would overwrite it', async () => {
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    expect(screen.text()).toContain('自己填写头像和昵称');
    const release = stage.holdAnswersOf('auth.login');
    await allowProfile(screen);
    await expect.poll(() => stage.phone.calls.at(-1)?.status).toBe('200');
    expect(screen.text()).not.toContain('自己填写头像和昵称');
    release();
    await screen.see('很高兴认识你');
  });

  test('the page says that the developer has to declare the profile, where WeChat refuses it for that', async () => {
    stage.phone.getUserProfile = () => Promise.reject(new Error('api scope is not declared in the privacy agreement'));
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    await allowProfile(screen);
    await screen.see('没有在隐私保护指引里声明');
    expect(screen.text()).not.toMatch(/没有授权也没关系|重试/);
  });

  test('a user who refuses the privacy agreement first is asked by WeChat at the next tap', async () => {
    const screen = await stage.launch();
    await screen.see('用户隐私保护提示');
    screen.tap('暂不');
    await screen.see('没有授权也没关系');
    screen.tap('获取用户数据');
    await screen.see('使用前请阅读并同意');
    screen.tap('拒绝');
    // The sentence is there already; the button waits for WeChat's answer.
    await expect.poll(() => screen.document.querySelector('.action')?.hasAttribute('disabled')).toBe(false);
    expect(screen.text()).toContain('没有授权也没关系');
    screen.tap('获取用户数据');
    await screen.see('使用前请阅读并同意');
    screen.tap('同意');
    await screen.see('允许');
    screen.tap('允许');
    await screen.see('很高兴认识你');
  });

  test('a user is known at the second launch without a login, a button or a question', async () => {
    await becomeKnown();
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    expect(screen.text()).toContain('小明');
    expect(screen.text()).not.toMatch(/获取用户数据|隐私/);
    expect(stage.calls()).toEqual(['wx.checkSession ok', 'user.me 200']);
  });

  test('a profile is opened though wx.login rotated its key away right after it was sealed', async () => {
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    stage.phone.settings.rotateOnLogin = true;
    await allowProfile(screen);
    await screen.see('很高兴认识你');
    expect(stage.calls().at(-1)).toBe('auth.login 200');
  });

  test('a rejected profile is told, and the very next tap works', async () => {
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    // Two changes at once: the server knows neither the key that sealed the profile nor the one before it.
    stage.phone.rotate();
    stage.phone.settings.rotateOnLogin = true;
    await allowProfile(screen);
    await screen.see('资料没有通过验证');
    expect(stage.calls().slice(-3)).toEqual(['auth.login 401 PROFILE_REJECTED', 'wx.login ok', 'auth.checkUser 200']);
    expect(await stage.stored()).toMatchObject({ nickName: null });
    await allowProfile(screen);
    await screen.see('很高兴认识你');
  });

  test('a dead server is told, and the sample goes on once it is back', async () => {
    await stage.stopServer();
    const screen = await stage.launch();
    await screen.see('连不上服务器');
    await stage.restartServer();
    screen.tap('重试');
    await agreeToPrivacy(screen);
    await stage.stopServer();
    await allowProfile(screen);
    await screen.see('连不上服务器');
    await stage.restartServer();
    screen.tap('重试');
    await screen.see('你好，新朋友');
    await allowProfile(screen);
    await screen.see('很高兴认识你');
    expect(screen.errors).toEqual([]);
  });

  test('a phone without a network is told, and the sample goes on once there is one', async () => {
    stage.phone.settings.offline = true;
    const screen = await stage.launch();
    await screen.see('连不上服务器');
    stage.phone.settings.offline = false;
    screen.tap('重试');
    await screen.see('你好，新朋友');
    await agreeToPrivacy(screen);
    stage.phone.settings.offline = true;
    await allowProfile(screen);
    await screen.see('连不上服务器');
  });

  test('a restarted server that lost its sessions goes unnoticed', async () => {
    await becomeKnown();
    await stage.backend.store.deleteSessionsOf(stage.backend.standin.person(stage.phone.settings.user).openid, 0);
    await stage.stopServer();
    await stage.restartServer();
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    expect(stage.calls()).toEqual([
      'wx.checkSession ok',
      'user.me 401 SESSION_INVALID',
      'wx.login ok',
      'auth.checkUser 200',
      'user.me 200',
    ]);
  });

  test('a session key that WeChat no longer honours causes one login at the launch', async () => {
    await becomeKnown();
    stage.phone.rotate();
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    expect(stage.calls()).toEqual([
      'wx.checkSession session time out, need relogin',
      'wx.login ok',
      'auth.checkUser 200',
    ]);
  });

  test('WeChat’s sheet shows the name that it hands over, and the anonymous one where it hands over no name', async () => {
    stage.phone.settings.anonymous = true;
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    screen.tap('获取用户数据');
    await screen.see('获取你的昵称、头像');
    expect(screen.text()).toContain('微信用户');
    expect(screen.text()).not.toContain('小明');
  });

  test('a user who got no name from WeChat is told where to write one', async () => {
    stage.phone.settings.anonymous = true;
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    await allowProfile(screen);
    await screen.see('新版微信只给出');
    screen.tap('完善资料');
    await screen.see('编辑资料');
  });

  test('a blocked user is told that trying again is of no use', async () => {
    stage.backend.standin.phone.block({ user: stage.phone.settings.user });
    const screen = await stage.launch();
    await screen.see('微信认为这个账号有风险');
    expect(screen.text()).not.toMatch(/重试|网络/);
  });

  test('a code that WeChat does not know is told with the appid, and can be tried again', async () => {
    stage.backend.standin.phone.fault({ fault: { kind: 'errcode', errcode: 40029 } });
    const screen = await stage.launch();
    await screen.see('WX_APPID 多半不是同一个');
    expect(screen.text()).not.toMatch(/网络|连不上/);
    screen.tap('重试');
    await screen.see('你好，新朋友');
  });
});

test('a developer whose appid the backend does not have is told so', async () => {
  const foreign = await createStage({ program, app: { appId: 'wxaaaaaaaaaaaaaaaa', secret: 'a'.repeat(32) } });
  try {
    const screen = await foreign.launch();
    await screen.see('WX_APPS 里没有它的 appid');
    expect(foreign.calls()).toEqual(['wx.login ok', 'auth.checkUser 400 INPUT_INVALID']);
  } finally {
    await foreign.close();
  }
});

test('a client built without its AbortController does not get past the first call', async () => {
  const broken = await createStage({
    program: await compileProgram({ packages: { '@guoke/client': await bundle({ inject: [] }) } }),
  });
  try {
    const screen = await broken.launch();
    await screen.see('登录不成功');
    expect(broken.calls()).not.toContain('auth.checkUser 200');
  } finally {
    await broken.close();
  }
});

async function becomeKnown(): Promise<void> {
  const screen = await stage.launch();
  await agreeToPrivacy(screen);
  await allowProfile(screen);
  await screen.see('很高兴认识你');
  screen.close();
  stage.calls();
}
