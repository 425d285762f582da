import { failureOf, type User } from '@guoke/client';
import { Button, View } from '@tarojs/components';
import Taro, { useLoad } from '@tarojs/taro';
import { useState } from 'react';
import { api, session } from '../../guoke';

export default function Index() {
  const [text, setText] = useState('');
  const show = ({ nickName }: User) => setText(nickName ?? '还没有昵称');
  const fail = (error: unknown) => setText(failureOf(error).kind);

  useLoad(async () => {
    try {
      await session.ensure();
      show(await api.user.me.query());
    } catch (error) {
      fail(error);
    }
  });

  // First in the tap: WeChat refuses it after an await.
  const getProfile = () =>
    void Taro.getUserProfile({
      desc: '用于展示头像和昵称',
      success: (profile) => session.login(profile).then(({ user }) => show(user), fail),
    }).catch(() => undefined);

  return (
    <View>
      <View>{text}</View>
      <Button onClick={getProfile}>获取用户数据</Button>
    </View>
  );
}
