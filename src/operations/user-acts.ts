import type { UserSelector } from '../store/accounts.ts';
import type { Store, User, UserRecord } from '../store/store.ts';
import { eraseUser, type OnUserDeleted } from '../user/erasure.ts';
import { toExport } from '../user/export.ts';
import { maskPhoneNumber, type PhoneNumbers } from '../user/phone.ts';
import type { Log } from './log.ts';

/** How an operator names a person. A phone number is `+8613500001111`, or `13500001111` in mainland China. */
export type PersonSelector = { openId: string } | { unionId: string } | { phone: string };

/** What an operator does to a user. */
export const userActs = ['delete', 'sign-out', 'block', 'unblock'] as const;
type UserAct = (typeof userActs)[number];

interface UserActsOptions {
  store: Store;
  phoneNumbers: PhoneNumbers;
  onUserDeleted: OnUserDeleted;
  log: Log;
  now?: () => number;
}

/** What an operator asks about a person, and does to one of their users. */
export function createUserActs({ store, phoneNumbers, onUserDeleted, log, now = Date.now }: UserActsOptions) {
  const gone = 'was deleted already';
  const acts: Readonly<Record<UserAct, (user: UserSelector) => Promise<string>>> = {
    delete: async (user) => ((await eraseUser({ store, onUserDeleted }, user)) ? 'deleted' : gone),
    'sign-out': async ({ openId }) => `signed out of ${await store.deleteSessionsOf(openId, now())} sessions`,
    block: async (user) => ((await store.updateUser(user, { blockedAt: now() }, now())) ? 'blocked' : gone),
    unblock: async (user) => ((await store.updateUser(user, { blockedAt: null }, now())) ? 'unblocked' : gone),
  };

  return {
    /** The users of a person: one for each mini program. */
    async find(selector: PersonSelector): Promise<User[]> {
      if ('openId' in selector) {
        const user = await store.findUser(selector.openId);
        return user ? [user] : [];
      }
      if ('unionId' in selector) return await store.findUsersByUnionId(selector.unionId);
      return await store.findUsersByPhone(phoneNumbers.fingerprints(withCountryCode(selector.phone)));
    },

    /** What is stored of a user, as the user's own export has it; numbers and names are masked unless they are revealed. */
    async show(user: User, { reveal }: { reveal: boolean }) {
      const record: UserRecord | null = await store.findRecord(user.openId);
      if (!record) return null;
      const number = phoneNumbers.open(record);
      const data = toExport(record, number, await store.listSessions(user.openId, now(), 1000));
      if (reveal) return data;
      const { realName, stuId } = data.user;
      const masked = {
        phoneNumber: number === null ? null : maskPhoneNumber(number),
        realName: realName === null ? null : '***',
        stuId: stuId === null ? null : '***',
      };
      return { ...data, user: { ...data.user, ...masked } };
    },

    /** Does it, and leaves a line in the log with the operator's reason: without the openid, which a log is not to keep. */
    async act(act: UserAct, { openId, createdAt, appId }: User, reason: string): Promise<string> {
      const outcome = await acts[act]({ openId, createdUpTo: createdAt });
      log.info({ act, reason, appId }, 'operator');
      return outcome;
    },
  };
}

function withCountryCode(phone: string): string {
  return /^1\d{10}$/.test(phone) ? `+86${phone}` : phone;
}
