import type { UserChanges } from '../store/accounts.ts';
import type { Store } from '../store/store.ts';
import type { Clearable, PushEvent } from '../wechat/push-message.ts';
import { eraseUser, type OnUserDeleted } from './erasure.ts';

interface Deps {
  store: Pick<Store, 'findUser' | 'updateUser' | 'deleteUser'>;
  onUserDeleted: OnUserDeleted;
  now: () => number;
}

/** WeChat's clock and the database's may differ by this much. */
const clockToleranceMs = 60_000;

const clearing: Readonly<Record<Clearable, UserChanges>> = {
  nickName: { nickName: null },
  avatar: { avatar: null },
  phone: { phone: null },
};

/**
 * Does to a user of the app what WeChat's push asks for. Resolves to whether there was something to do: an event from before
 * the user's row was made concerns an earlier user of that openid, who is gone.
 */
export async function applyPush(
  { store, onUserDeleted, now }: Deps,
  event: PushEvent,
  appId: string,
): Promise<boolean> {
  if (event.kind === 'other') return false;
  const user = await store.findUser(event.openId);
  if (!user || user.appId !== appId || user.createdAt > event.createdAt + clockToleranceMs) return false;
  const selector = { openId: user.openId, createdUpTo: user.createdAt };
  if (event.kind === 'delete') return await eraseUser({ store, onUserDeleted }, selector);
  const changes: UserChanges = Object.assign({}, ...event.cleared.map((field) => clearing[field]));
  return (await store.updateUser(selector, changes, now())) !== null;
}
