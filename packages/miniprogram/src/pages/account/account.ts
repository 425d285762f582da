import type { User } from '@guoke/client';
import { type Departure, departure } from '../../departure';
import { api, session } from '../../guoke';
import { type Sentence, sentenceOf, warning } from '../../sentence';
import { confirm } from './confirm';
import { type Device, deviceOf } from './device';

type Tap = WechatMiniprogram.BaseEvent<object, { id: string }>;

Page({
  data: {
    devices: [] as Device[],
    /** Whether there is something to clear. */
    hasProfile: false,
    hasPhone: false,
    /** All that the backend has stored about the user, once they asked for it. */
    exported: '',
    busy: false,
    sentence: '',
    warns: false,
  },

  onLoad() {
    const user = session.peek()?.user;
    if (user) this.show(user);
    void this.run(async () => {
      await this.listDevices();
      return '';
    });
  },

  /** Logs out another phone of the user's. */
  async revoke({ currentTarget }: Tap) {
    await this.run(async () => {
      const { revoked } = await api.auth.revokeSession.mutate({ id: currentTarget.dataset.id });
      await this.listDevices();
      return revoked ? '那一处登录已经失效。' : '那一处登录早已失效。';
    });
  },

  async logoutEverywhere() {
    await this.run(async () => {
      await api.auth.logoutAll.mutate();
      return this.leave('logged-out');
    });
  },

  async clearProfile() {
    await this.run(async () => {
      this.show(await api.user.updateProfile.mutate({ nickName: null, avatar: null }));
      return '昵称和头像已经清除。';
    });
  },

  async unbindPhone() {
    await this.run(async () => {
      this.show(await api.user.unbindPhone.mutate());
      return '手机号已经解绑。';
    });
  },

  async exportData() {
    await this.run(async () => {
      const exported = await api.user.exportData.mutate({ code: await session.takeCode() });
      this.setData({ exported: JSON.stringify(exported, null, 2) });
      return '这是我们保存的关于你的全部信息。';
    });
  },

  /** WeChat itself says that it was copied. */
  copy() {
    wx.setClipboardData({
      data: this.data.exported,
      fail: () => this.say(warning('复制不了，请长按文字自己选。')),
    });
  },

  /** What cannot be undone is asked twice, in other words each time. */
  async deleteAccount() {
    await this.run(async () => {
      const first = { title: '注销账号', content: '你的资料和所有登录都会删除，无法找回。', confirmText: '继续' };
      const second = { title: '最后确认一次', content: '注销立即生效，其他手机也会退出。', confirmText: '确定注销' };
      if (!(await confirm(first)) || !(await confirm(second))) return '没有注销，一切照旧。';
      await api.user.deleteAccount.mutate({ code: await session.takeCode() });
      return this.leave('deleted');
    });
  },

  async listDevices() {
    const sessions = await api.auth.sessions.query();
    this.setData({ devices: sessions.map(deviceOf) });
  },

  show(user: User) {
    session.update(user);
    this.setData({ hasProfile: user.hasProfile || user.avatarUrl !== null, hasPhone: user.hasPhone });
  },

  /** The first page says what has happened. */
  leave(how: Departure): string {
    departure.write(how);
    void wx.navigateBack();
    return '';
  },

  /** One thing at a time: the view shows `busy` a moment later, and a second quick tap arrives all the same. */
  async run(work: () => Promise<string>) {
    if (this.data.busy) return;
    this.setData({ busy: true, sentence: '' });
    try {
      this.say({ sentence: await work(), warns: false });
    } catch (error) {
      this.say(sentenceOf(error));
    }
  },

  say(said: Sentence) {
    this.setData({ ...said, busy: false });
  },
});
