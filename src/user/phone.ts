import { fingerprint, type Keyring, openOrNull, seal } from '../crypto.ts';
import type { User } from '../store/store.ts';
import type { PhoneNumber } from '../wechat/phone.ts';

type Owner = Pick<User, 'appId' | 'openId'>;

/** What a sealed number is bound to: it does not open in another column, for another app or another user. */
export function phoneNumberContext({ appId, openId }: Owner): readonly string[] {
  return ['phone_number', appId, openId];
}

/** Whatever the user and the app: an operator finds a user by the number alone. */
export const phoneFingerprintContext: readonly string[] = ['phone_number'];

/** Seals and opens phone numbers: sealed at rest, like session keys, and opened for procedures of the business alone. */
export interface PhoneNumbers {
  /** The number as the store keeps it. */
  seal(phone: PhoneNumber, owner: Owner): { sealed: string; fingerprint: string };
  /** What finds the users of a number such as `+8613500001111`: a fingerprint by each secret that may have made theirs. */
  fingerprints(number: string): string[];
  /** The user's number as `+8613500001111`; null when there is no number, or it cannot be opened. */
  open(user: User): string | null;
}

export function createPhoneNumbers(keyring: Keyring): PhoneNumbers {
  return {
    seal({ countryCode, number }, owner) {
      const text = `+${countryCode}${number}`;
      return {
        sealed: seal(keyring, text, phoneNumberContext(owner)),
        fingerprint: fingerprint(keyring, text, phoneFingerprintContext),
      };
    },
    fingerprints: (number) => keyring.map((secret) => fingerprint([secret], number, phoneFingerprintContext)),
    open: (user) => openOrNull(keyring, user.phoneNumber, phoneNumberContext(user)),
  };
}

/** A number to show to its owner: of 11 digits the first 3 and the last 4, of fewer digits fewer; at least 4 are hidden. */
export function maskPhoneNumber(number: string): string {
  const shown = Math.min(7, Math.max(0, number.length - 4));
  const tail = Math.ceil(shown / 2);
  const head = shown - tail;
  return `${number.slice(0, head)}${'*'.repeat(number.length - shown)}${number.slice(number.length - tail)}`;
}
