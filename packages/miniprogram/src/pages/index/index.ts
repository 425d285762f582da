import type { SignedProfile, User } from '@guoke/client';
import { api, session } from '../../guoke';
import { departure } from '../../departure';
import { checking, departed, refused, sceneOf, sceneOfFailure, sceneWithoutProfile } from './scene';

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
    // A login at every launch would undo the logout of the one before.
    if (!this.showDeparture()) void this.load();
  },

  onShow() {
    if (this.showDeparture()) return;
    const user = session.peek()?.user;
    if (user) this.greet(user);
  },

  onUnload() {
    this.stopListening?.();
  },

  /** Whether the user has left, on the page 账号与安全 too. */
  showDeparture(): boolean {
    const left = departure.read();
    if (left) this.setData(departed[left]);
    return left !== undefined;
  },

  /** A user becomes known on the profile page, and unknown where they clear their name. What failed here stays until it is tried again. */
  greet(user: User) {
    const { busy, state } = this.data;
    const stays = state === 'offline' || state === 'failed' || state === 'departed';
    if ((user.hasProfile || state === 'known') && !busy && !stays) this.setData(sceneOf(user));
  },

  /** Who is this? A known user is greeted, a new one is asked for their profile, but for their agreement first. */
  async load() {
    this.setData({ busy: true });
    try {
      const scene = sceneOf(await this.currentUser());
      departure.forget();
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
      // Without it the places are named in English.
      lang: 'zh_CN',
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

  /** The server refuses the token from now on. Where it cannot be reached, the login is left as it is. */
  async logout() {
    if (this.data.busy) return;
    this.setData({ busy: true });
    try {
      await api.auth.logout.mutate();
      departure.write('logged-out');
      this.setData({ ...departed['logged-out'], busy: false });
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
    this.open('/pages/profile/profile');
  },

  openAccount() {
    this.open('/pages/account/account');
  },

  open(url: string) {
    if (this.opening) return;
    this.opening = true;
    wx.navigateTo({
      url,
      complete: () => {
        this.opening = false;
      },
    });
  },
});
