import { api, avatarUrlOf, session } from '../../guoke';
import { type Sentence, sentenceOf } from '../../sentence';
import { readPicture } from './picture';
import { phoneRefusal, sentenceOfSaving } from './sentence';

type Submit = WechatMiniprogram.FormSubmit<object, { nickName: string }>;

Page({
  data: {
    avatarUrl: '',
    nickName: '',
    /** What is known of the phone number: its masked form only after it was bound here. */
    phoneNumber: '',
    /** The temporary path of a picture that is not saved yet. */
    picture: '',
    busy: false,
    sentence: '',
    warns: false,
  },

  onLoad() {
    const user = session.peek()?.user;
    this.setData({
      avatarUrl: (user && avatarUrlOf(user)) ?? '',
      nickName: user?.nickName ?? '',
      phoneNumber: user?.hasPhone ? '已绑定' : '',
    });
    // Every field below is covered by the agreement; where it is refused WeChat keeps them closed.
    wx.requirePrivacyAuthorize?.({
      fail: () => this.say({ sentence: '没有同意隐私保护指引，微信不会提供头像、昵称和手机号。', warns: true }),
    });
  },

  chooseAvatar({ detail }: WechatMiniprogram.CustomEvent<{ avatarUrl: string }>) {
    this.setData({ avatarUrl: detail.avatarUrl, picture: detail.avatarUrl, sentence: '' });
  },

  /** The nickname comes with the form: WeChat's own suggestion fills the field without an input event. */
  async save({ detail }: Submit) {
    // The view shows `busy` a moment later: a second quick tap arrives all the same.
    if (this.data.busy) return;
    const nickName = detail.value.nickName.trim();
    if (nickName === '') {
      this.say({ sentence: '请先写一个昵称。', warns: true });
      return;
    }
    this.setData({ busy: true, sentence: '' });
    try {
      const { picture } = this.data;
      const avatar = picture ? { avatar: await readPicture(picture) } : {};
      const user = await api.user.updateProfile.mutate({ nickName, ...avatar });
      session.update(user);
      // The picture now comes from the server, unless another one was chosen meanwhile.
      if (this.data.picture === picture) this.setData({ avatarUrl: avatarUrlOf(user) ?? '', picture: '' });
      this.setData({ nickName: user.nickName ?? '' });
      this.say({ sentence: '已经保存好了。', warns: false });
    } catch (error) {
      this.say(sentenceOfSaving(error));
    }
  },

  /** Its code is not one of `wx.login`. It works once: whatever goes wrong, the next try is another tap. */
  async bindPhone({ detail }: WechatMiniprogram.ButtonGetPhoneNumber) {
    if (!detail.code) {
      this.say(phoneRefusal(detail.errMsg));
      return;
    }
    this.setData({ busy: true, sentence: '' });
    try {
      const { phoneNumber } = await api.user.bindPhone.mutate({ code: detail.code });
      const user = session.peek()?.user;
      if (user) session.update({ ...user, hasPhone: true });
      this.setData({ phoneNumber });
      this.say({ sentence: '手机号绑定好了。', warns: false });
    } catch (error) {
      this.say(sentenceOf(error));
    }
  },

  say(said: Sentence) {
    this.setData({ ...said, busy: false });
  },
});
