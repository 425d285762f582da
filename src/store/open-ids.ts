import { type Store, StoreError } from './store.ts';
import { widths } from './widths.ts';

/** The alphabet of WeChat's openids. */
const openIdPattern = new RegExp(`^[A-Za-z0-9_-]{1,${widths.openId}}$`);

/**
 * Refuses an openid that is none before a statement is made. MySQL's ascii_bin takes `oabc` and `oabc ` for equal (PAD
 * SPACE), and its collations without padding are not the same on MariaDB: no openid with a space ever gets there.
 */
export function refuseOddOpenIds(store: Store): Store {
  async function checked<T>(openId: string, call: () => Promise<T>): Promise<T> {
    if (!openIdPattern.test(openId)) throw new StoreError('unexpected', 'OPENID_INVALID');
    return await call();
  }
  return {
    ...store,
    saveLogin: (login) => checked(login.openId, () => store.saveLogin(login)),
    findUser: (openId) => checked(openId, () => store.findUser(openId)),
    saveProfile: (write) => checked(write.openId, () => store.saveProfile(write)),
    savePhoneNumber: (openId, phoneNumber, now) =>
      checked(openId, () => store.savePhoneNumber(openId, phoneNumber, now)),
    // A unionid is of the same alphabet, and padded alike.
    findUsersByUnionId: (unionId) => checked(unionId, () => store.findUsersByUnionId(unionId)),
    deleteSessionsOf: (openId, now) => checked(openId, () => store.deleteSessionsOf(openId, now)),
  };
}
