import { type Store, StoreError } from './store.ts';
import { widths } from './widths.ts';

/** The alphabet of WeChat's openids. */
const openIdPattern = new RegExp(`^[A-Za-z0-9_-]{1,${widths.openId}}$`);

/**
 * Refuses an openid that is none before a statement is made. MySQL's ascii_bin takes `oabc` and `oabc ` for equal (PAD
 * SPACE), and its collations without padding are not the same on MariaDB: no openid with a space ever gets there.
 */
export function refuseOddOpenIds(store: Store): Store {
  const refusing =
    <A extends unknown[], R>(openIdOf: (...args: A) => string, method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (!openIdPattern.test(openIdOf(...args))) throw new StoreError('unexpected', 'OPENID_INVALID');
      return await method(...args);
    };
  return {
    ...store,
    saveLogin: refusing((login) => login.openId, store.saveLogin),
    findUser: refusing((openId) => openId, store.findUser),
    deleteSessionsOf: refusing((openId) => openId, store.deleteSessionsOf),
  };
}
