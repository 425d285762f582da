import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Screen } from '../launch.ts';
import type { Program } from '../native.ts';
import { compileProgram } from '../program.ts';
import { agreeToPrivacy, allowProfile, createStage, pushSetting } from './stage.ts';

let program: Program;
let stage: Awaited<ReturnType<typeof createStage>>;
beforeAll(async () => {
  program = await compileProgram();
});
beforeEach(async () => {
  stage = await createStage({ program, env: pushSetting });
});
afterEach(() => stage.close());

/** A user with a name, on 账号与安全. What was called before is forgotten. */
async function openAccount(): Promise<Screen> {
  const screen = await stage.launch();
  await agreeToPrivacy(screen);
  await allowProfile(screen);
  await screen.see('很高兴认识你');
  screen.tap('账号与安全');
  await screen.see('这部手机');
  stage.calls();
  return screen;
}

async function bindPhone(): Promise<string> {
  const { token } = await stage.backend.client().auth.checkUser.mutate({ code: (await stage.phone.login()).code });
  const { code } = await stage.phone.getPhoneNumber();
  await stage.backend.client(token).user.bindPhone.mutate({ code });
  await stage.backend.client(token).auth.logout.mutate();
  stage.calls();
  return (await stage.phone.person()).phoneNumber;
}

describe('账号与安全', () => {
  test('lists every login of the user, and logs out another phone', async () => {
    const other = await stage.launch({ onAnotherPhone: true });
    await other.see('你好，新朋友');
    const screen = await openAccount();
    // The first launch of this phone logged in twice: once by the code alone, once with the profile.
    expect(screen.text().match(/另一处登录/g)).toHaveLength(2);
    for (const left of [1, 0]) {
      screen.tapElement('.account-button');
      await screen.see('那一处登录已经失效');
      expect(screen.text().match(/另一处登录/g) ?? []).toHaveLength(left);
      stage.calls();
    }
    const next = await stage.launch();
    await next.see('欢迎回来');
    expect(stage.calls()).toEqual(['wx.checkSession ok', 'user.me 200']);
    expect(screen.errors).toEqual([]);
  });

  test('logs out every phone, and the first page says so', async () => {
    const screen = await openAccount();
    screen.tap('退出所有设备');
    await screen.see('已退出登录');
    const { openid } = stage.backend.standin.person(stage.phone.settings.user);
    expect(await stage.backend.store.deleteSessionsOf(openid, 0)).toBe(0);
    screen.tap('重新登录');
    await screen.see('欢迎回来');
  });

  test('shows all that is stored about the user, the phone number in full, and copies it', async () => {
    await (await stage.launch()).see('你好，新朋友');
    const phoneNumber = await bindPhone();
    const screen = await openAccount();
    screen.tap('导出我的数据');
    await screen.see('这是我们保存的关于你的全部信息');
    expect(stage.calls()).toEqual(['wx.login ok', 'user.exportData 200']);
    for (const told of ['"nickName": "小明"', phoneNumber, '"createdAt"']) {
      expect(screen.text()).toContain(told);
    }
    expect(screen.text()).not.toMatch(/[kK]ey|token/);
    screen.tap('复制');
    await screen.see('内容已复制');
  });

  test('clears the name and the picture, and then the first page asks for them again', async () => {
    const screen = await openAccount();
    screen.tap('清除昵称和头像');
    await screen.see('昵称和头像已经清除');
    expect(await stage.stored()).toMatchObject({ nickName: null, avatarUrl: null });
    expect(screen.text()).not.toContain('清除昵称和头像\n');
    screen.tap('‹');
    await screen.see('你好，新朋友');
  });

  test('unbinds the phone number', async () => {
    await (await stage.launch()).see('你好，新朋友');
    await bindPhone();
    const screen = await openAccount();
    expect(await stage.stored()).not.toMatchObject({ phoneNumber: null });
    screen.tap('解绑手机号');
    await screen.see('手机号已经解绑');
    expect(await stage.stored()).toMatchObject({ phoneNumber: null });
    expect(screen.text()).not.toContain('解绑手机号');
  });

  test.each([
    ['at the first question', []],
    ['at the second one', ['继续']],
  ])('deletes nothing where the user says no %s', async (_, yes) => {
    const screen = await openAccount();
    screen.tap('注销账号');
    for (const answer of yes) {
      await screen.see(answer);
      screen.tap(answer);
      await screen.see('最后确认一次');
    }
    await screen.see('取消');
    screen.tap('取消');
    await screen.see('没有注销');
    expect(stage.calls()).toEqual([]);
    expect(await stage.stored()).toMatchObject({ nickName: '小明' });
  });

  test('deletes the account after two questions: every phone is logged out, and who comes back is new', async () => {
    const screen = await openAccount();
    screen.tap('注销账号');
    await screen.see('继续');
    screen.tap('继续');
    await screen.see('确定注销');
    screen.tap('确定注销');
    await screen.see('账号已注销');
    expect(stage.calls()).toEqual(['wx.login ok', 'user.deleteAccount 200']);
    expect(await stage.stored()).toBeNull();

    const next = await stage.launch();
    await next.see('账号已注销');
    expect([stage.calls(), await stage.stored()]).toEqual([[], null]);
    next.tap('重新登录');
    await next.see('你好，新朋友');
    expect(await stage.stored()).toMatchObject({ nickName: null });
    expect([...screen.errors, ...next.errors]).toEqual([]);
  });

  test('says so where the server cannot be reached, and keeps the account', async () => {
    const screen = await openAccount();
    stage.phone.settings.offline = true;
    screen.tap('导出我的数据');
    await screen.see('连不上服务器');
    stage.phone.settings.offline = false;
    screen.tap('导出我的数据');
    await screen.see('这是我们保存的关于你的全部信息');
  });

  test('asks once where 注销账号 is tapped twice', async () => {
    const screen = await openAccount();
    screen.tapElement('.account-delete');
    screen.tapElement('.account-delete');
    await screen.see('继续');
    expect(screen.document.querySelectorAll('.wechat-dialog')).toHaveLength(1);
  });
});

describe('what the user takes back in WeChat itself', () => {
  test('clears name, picture and phone number where the authorization is revoked', async () => {
    await openAccount();
    await stage.phone.push({ event: 'user_authorization_revoke', fields: { RevokeInfo: '6,8' } });
    expect(stage.calls()).toEqual(['push user_authorization_revoke ok']);
    expect(await stage.stored()).toMatchObject({ nickName: null, avatarUrl: null, phoneNumber: null });
    const next = await stage.launch();
    await next.see('你好，新朋友');
  });

  test('deletes the user where they deregister, and the next launch is that of a new one', async () => {
    await openAccount();
    await stage.phone.push({ event: 'user_authorization_cancellation' });
    expect(await stage.stored()).toBeNull();
    stage.calls();
    const next = await stage.launch();
    await next.see('你好，新朋友');
    expect(stage.calls()).toContain('user.me 401 SESSION_INVALID');
  });

  test('tells of a push that the backend does not take', async () => {
    await openAccount();
    await stage.stopServer();
    await expect(stage.phone.push({ event: 'user_authorization_cancellation' })).rejects.toThrow('no answer');
    expect(stage.calls().at(-1)).toContain('no answer');
    await stage.restartServer();
  });
});
