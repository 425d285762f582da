import type { Drawer } from '../native.ts';

interface Owner {
  appId: string;
  user: string;
}

const prefixOf = ({ appId, user }: Owner) => `${appId}/${user}/`;

/** What a mini program keeps on one person's phone, in this browser: each person has a phone of their own. */
export function createLocalDrawer(owner: Owner, storage: Storage = localStorage): Drawer {
  const prefix = prefixOf(owner);
  return {
    read: (key) => storage.getItem(prefix + key),
    write: (key, value) => storage.setItem(prefix + key, value),
    remove: (key) => storage.removeItem(prefix + key),
  };
}

/** Takes away all that is in it, and nothing of anybody else's. */
export function emptyLocalDrawer(owner: Owner, storage: Storage = localStorage): void {
  const prefix = prefixOf(owner);
  for (const key of Object.keys(storage)) if (key.startsWith(prefix)) storage.removeItem(key);
}
