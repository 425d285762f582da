import { createClient, failureOf } from '@guoke/client';

const { api, session } = createClient({ baseUrl: 'http://127.0.0.1:8080' });

Page({
  data: { text: '' },

  async onLoad() {
    try {
      await session.ensure();
      const { nickName } = await api.user.me.query();
      this.setData({ text: nickName ?? '还没有昵称' });
    } catch (error) {
      this.setData({ text: failureOf(error).kind });
    }
  },
});
