import { session } from '../../guoke';

Page({
  data: {
    avatarUrl: '',
    nickName: '',
    canSave: false,
    // Saving takes `user.updateProfile`, which the backend does not have yet.
    sentence: '现在可以先挑选和预览，保存的功能还没有开放。',
  },

  onLoad() {
    const user = session.peek()?.user;
    this.setData({ avatarUrl: user?.avatarUrl ?? '', nickName: user?.nickName ?? '' });
    // Both fields below are covered by the agreement; where it is refused WeChat keeps them closed.
    wx.requirePrivacyAuthorize?.({
      fail: () => this.setData({ sentence: '没有同意隐私保护指引，微信不会打开头像和昵称。' }),
    });
  },

  chooseAvatar({ detail }: WechatMiniprogram.CustomEvent<{ avatarUrl: string }>) {
    this.setData({ avatarUrl: detail.avatarUrl });
  },
});
