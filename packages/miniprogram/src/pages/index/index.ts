import type { SignedProfile, User } from '@guoke/client';
import { api, session } from '../../guoke';
import { checking, refused, sceneOf, sceneOfFailure, sceneWithoutProfile } from './scene';

Page({
  data: {
    ...checking,
    busy: false,
    /** The name of the privacy agreement while it is being asked for; empty otherwise. */
    contract: '',
  },

  /** Another page is being opened: its view takes a moment to cover this one. */
  opening: false,
  stopListening: undefined as (() => void) | undefined,

  onLoad() {
    // The profile page may be left before what it saves has arrived: this one is shown too early then.
    this.stopListening = session.onUpdate((user) => this.greet(user));
    void this.load();
  },

  onShow() {
    const user = session.peek()?.user;
    if (user) this.greet(user);
  },

  onUnload() {
    this.stopListening?.();
  },

  /** Somebody may have become known on the profile page. What failed here stays until it is tried again. */
  greet(user: User) {
    const { busy, state } = this.data;
    if (user.hasProfile && !busy && state !== 'offline' && state !== 'failed') this.setData(sceneOf(user));
  },

  /** Who is this? A known user is greeted, a new one is asked for their profile, but for their agreement first. */
  async load() {
    this.setData({ busy: true });
    try {
      const scene = sceneOf(await this.currentUser());
      this.setData({ ...scene, busy: false });
      if (scene.asks) this.askPrivacy();
    } catch (error) {
      this.setData({ ...sceneOfFailure(error), busy: false });
    }
  },

  /** What is stored is as old as the last launch, and another phone may have changed it. A login brings the user of now. */
  async currentUser(): Promise<User> {
    const stored = session.peek();
    const { user, token } = await session.ensure();
    if (token !== stored?.token) return user;
    const me = await api.user.me.query();
    session.update(me);
    return me;
  },

  /** WeChat opens this only inside a tap: nothing may be awaited before it, and `desc` has at most 30 characters. */
  getProfile() {
    // The view shows `busy` a moment later: the second of two quick taps arrives all the same, and would ask twice.
    if (this.data.busy) return;
    this.setData({ busy: true });
    wx.getUserProfile({
      desc: '用于显示你的昵称和头像',
      success: (profile) => void this.login(profile),
      fail: ({ errMsg }) => this.setData({ ...sceneWithoutProfile(errMsg), busy: false }),
    });
  },

  /** After a rejection `session.login` has taken a new session too, with which the profile of the next tap can be opened. */
  async login(profile: SignedProfile) {
    try {
      const { user } = await session.login(profile);
      this.setData({ ...sceneOf(user, true), busy: false });
    } catch (error) {
      this.setData({ ...sceneOfFailure(error), busy: false });
    }
  },

  askPrivacy() {
    // Absent before base library 2.32.3, which asks for no agreement either.
    wx.getPrivacySetting?.({
      success: ({ needAuthorization, privacyContractName }) => {
        // Whoever has tapped the button by now is asked by WeChat itself.
        if (needAuthorization && !this.data.busy) this.setData({ contract: privacyContractName });
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
    if (this.opening) return;
    this.opening = true;
    wx.navigateTo({
      url: '/pages/profile/profile',
      complete: () => {
        this.opening = false;
      },
    });
  },
});
