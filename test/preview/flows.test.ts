import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Program } from '../../preview/native.ts';
import { compileProgram } from '../../preview/program.ts';
import { bundleText } from '../client/phone.ts';
import { agreeToPrivacy, allowProfile, createStage } from './stage.ts';

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
  test('greets a new user, asks for the profile in the tutorial’s order, and shows who they are', async () => {
    const screen = await stage.launch();
    await screen.see('你好，新朋友');
    expect(stage.calls()).toEqual(['wx.login ok', 'auth.checkUser 200']);
    await agreeToPrivacy(screen);
    await allowProfile(screen);
    await screen.see('很高兴认识你');
    expect(screen.text()).toContain('王大锤');
    expect(screen.text()).not.toContain('获取用户数据');
    expect(stage.calls()).toEqual(['wx.getUserProfile ok', 'wx.login ok', 'auth.login 200']);
    expect(await stage.stored()).toMatchObject({ nickName: '王大锤' });
    expect(screen.errors).toEqual([]);
  });

  test('takes no for an answer, stores nothing, and can be asked again', async () => {
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

  test('works for who refuses the privacy agreement first: WeChat itself asks at the next tap', async () => {
    const screen = await stage.launch();
    await screen.see('用户隐私保护提示');
    screen.tap('暂不');
    await screen.see('没有授权也没关系');
    screen.tap('获取用户数据');
    await screen.see('使用前请阅读并同意');
    screen.tap('拒绝');
    await screen.see('没有授权也没关系');
    screen.tap('获取用户数据');
    await screen.see('使用前请阅读并同意');
    screen.tap('同意');
    await screen.see('允许');
    screen.tap('允许');
    await screen.see('很高兴认识你');
  });

  test('knows a user at the second launch without a login, a button or a question', async () => {
    await becomeKnown();
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    expect(screen.text()).toContain('王大锤');
    expect(screen.text()).not.toMatch(/获取用户数据|隐私/);
    expect(stage.calls()).toEqual(['wx.checkSession ok', 'user.me 200']);
  });

  test('opens a profile whose key wx.login rotated away right after it was sealed', async () => {
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    stage.phone.settings.rotateOnLogin = true;
    await allowProfile(screen);
    await screen.see('很高兴认识你');
    expect(stage.calls().at(-1)).toBe('auth.login 200');
  });

  test('says so when a profile is rejected, and the very next tap works', async () => {
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

  test('tells of a dead server, and goes on once it is back', async () => {
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

  test('does the same for a phone without a network', async () => {
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

  test('does not notice that a restarted server lost its sessions', async () => {
    await becomeKnown();
    await stage.backend.store.deleteSessionsOf(stage.backend.standin.person(stage.phone.settings.user).openid);
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

  test('logs in anew at a launch when WeChat no longer honours the session key', async () => {
    await becomeKnown();
    stage.phone.rotate();
    const screen = await stage.launch();
    await screen.see('欢迎回来');
    expect(stage.calls().slice(0, 3)).toEqual([
      'wx.checkSession session time out, need relogin',
      'wx.login ok',
      'auth.checkUser 200',
    ]);
  });

  test('tells who got no name from WeChat where to write one', async () => {
    stage.phone.settings.anonymous = true;
    const screen = await stage.launch();
    await agreeToPrivacy(screen);
    await allowProfile(screen);
    await screen.see('新版微信只给出');
    screen.tap('完善资料');
    await screen.see('编辑资料');
  });

  test('tells a blocked user that trying again is of no use', async () => {
    stage.backend.standin.phone.block({ user: stage.phone.settings.user });
    const screen = await stage.launch();
    await screen.see('微信认为这个账号有风险');
  });
});

test('a client built without its AbortController does not get past the first call', async () => {
  const broken = await createStage({
    program: await compileProgram({ packages: { '@guoke/client': await bundleText([]) } }),
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
