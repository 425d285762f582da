import type { UserSelector } from '../store/accounts.ts';
import type { Store, User } from '../store/store.ts';

/**
 * Deletes what an owner's own tables hold of a user. Awaited before anything of ours is deleted: when it rejects, nothing
 * is, and the deletion may be tried again. So it may be called more than once for one user.
 */
export type OnUserDeleted = (user: User) => Promise<void> | void;

interface Eraser {
  store: Pick<Store, 'findUser' | 'deleteUser'>;
  onUserDeleted: OnUserDeleted;
}

/** Every deletion of a user goes through here, whether the user, WeChat or an operator asked for it. Resolves to whether there was such a user. */
export async function eraseUser({ store, onUserDeleted }: Eraser, selector: UserSelector): Promise<boolean> {
  const user = await store.findUser(selector.openId);
  if (!user) return false;
  if (selector.createdUpTo !== undefined && user.createdAt > selector.createdUpTo) return false;
  await onUserDeleted(user);
  // A user who comes back while the hook runs is another one, and stays.
  return await store.deleteUser({ ...selector, createdUpTo: user.createdAt });
}
