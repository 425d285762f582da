import type { SignedProfile } from '@guoke/client';
import { api, session } from '../../guoke';
import { checking, offline, refused, sceneOf, sceneOfFailure } from './scene';

Page({
  data: {
    ...checking,
    busy: false,
    /** The name of the privacy agreement while it is being asked for; empty otherwise. */
    contract: '',
  },

  onLoad() {
    void this.load();
  },

  /** Back from the profile page, which may have made somebody known. */
  onShow() {
    const user = session.peek()?.user;
    if (user?.hasProfile && !this.data.busy && !this.data.retries) this.setData(sceneOf(user));
  },

  /** Who is this? A known user is greeted, a new one is asked for their profile, but for their agreement first. */
  async load() {
    this.setData({ busy: true });
    try {
      const stored = session.peek();
      const { user } = await session.ensure();
      // What is stored here is as old as the last launch; the server knows better, and its refusal renews the session.
      const scene = sceneOf(stored ? await api.user.me.query() : user);
      this.setData({ ...scene, busy: false });
      if (scene.asks) this.askPrivacy();
    } catch (error) {
      this.setData({ ...sceneOfFailure(error), busy: false });
    }
  },

  /** WeChat opens this only inside a tap: nothing may be awaited before it, and `desc` has at most 30 characters. */
  getProfile() {
    wx.getUserProfile({
      desc: '用于显示你的昵称和头像',
      success: (profile) => void this.login(profile),
      fail: ({ errMsg }) => this.setData(/deny|denied|cancel|privacy/.test(errMsg) ? refused : offline),
    });
  },

  async login(profile: SignedProfile) {
    this.setData({ busy: true });
    try {
      const { user } = await session.login(profile);
      this.setData({ ...sceneOf(user, true), busy: false });
    } catch (error) {
      const scene = sceneOfFailure(error);
      if (scene.state === 'rejected') await this.renewSession();
      this.setData({ ...scene, busy: false });
    }
  },

  /** The server kept nothing of a rejected login. With WeChat's key of today it can open the profile of the next tap. */
  async renewSession() {
    const stale = session.peek();
    if (stale) session.invalidate(stale.token);
    // If this fails too, the next tap says so.
    await session.ensure().catch(() => undefined);
  },

  askPrivacy() {
    // Absent before base library 2.32.3, which asks for no agreement either.
    wx.getPrivacySetting?.({
      success: ({ needAuthorization, privacyContractName }) => {
        if (needAuthorization) this.setData({ contract: privacyContractName });
      },
    });
  },

  agreePrivacy() {
    this.setData({ contract: '' });
  },

  refusePrivacy() {
    this.setData({ ...refused, contract: '' });
  },

  openContract() {
    wx.openPrivacyContract({});
  },

  openProfile() {
    void wx.navigateTo({ url: '/pages/profile/profile' });
  },
});
