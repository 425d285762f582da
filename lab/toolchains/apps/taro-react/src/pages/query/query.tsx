import { failureOf } from '@guoke/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, View } from '@tarojs/components';
import { trpc } from '../../query';

export default function Query() {
  const me = useQuery(trpc.user.me.queryOptions());
  const cache = useQueryClient();
  const rename = useMutation(
    trpc.user.updateProfile.mutationOptions({
      onSuccess: (user) => cache.setQueryData(trpc.user.me.queryKey(), user),
    }),
  );
  if (me.error) return <View>{failureOf(me.error).kind}</View>;
  return (
    <View>
      <View>{me.data ? (me.data.nickName ?? '还没有昵称') : '……'}</View>
      <Button onClick={() => rename.mutate({ nickName: '小明' })}>改名</Button>
    </View>
  );
}
