import { fingerprint, openOrNull, seal, type Keyring } from '../crypto.ts';
import { isFromWrongClock } from '../store/clock.ts';
import type { User } from '../store/store.ts';
import type { Exchange } from '../wechat/exchange.ts';

/** Seals and opens WeChat's session keys. Nothing else sees a stored one in clear. */
export interface SessionKeys {
  /** The exchange's session key as the store keeps it. */
  seal(exchange: Pick<Exchange, 'appId' | 'openId' | 'sessionKey'>): {
    sessionKey: string;
    sessionKeyFingerprint: string;
  };
  /**
   * The key before the one of this exchange, in base64: profile data may be sealed with it, since `wx.login` may
   * rotate the key after `wx.getUserProfile`. null when there is no such key, or it cannot be opened.
   */
  openPrevious(user: User | null, exchange: Exchange): string | null;
  /** The user's stored keys that open, the present one first. */
  openAll(user: User): string[];
}

/** What a sealed session key is bound to: it does not open in another column, for another app or another user. */
export function sessionKeyContext({ appId, openId }: Pick<User, 'appId' | 'openId'>): readonly string[] {
  return ['session_key', appId, openId];
}

export function createSessionKeys(keyring: Keyring): SessionKeys {
  return {
    seal(exchange) {
      const context = sessionKeyContext(exchange);
      return {
        sessionKey: seal(keyring, exchange.sessionKey, context),
        sessionKeyFingerprint: fingerprint(keyring, exchange.sessionKey, context),
      };
    },
    openPrevious(user, exchange) {
      if (!user || user.appId !== exchange.appId) return null;
      // A later exchange was stored while this one waited for WeChat: it moved the key before both to prevSessionKey.
      const isLater = user.sessionKeyAt > exchange.startedAt;
      if (isLater && !isFromWrongClock(user.sessionKeyAt, exchange.startedAt))
        return openKey(user.prevSessionKey, exchange);
      const current = openKey(user.sessionKey, exchange);
      return current === exchange.sessionKey ? openKey(user.prevSessionKey, exchange) : current;
    },
    openAll(user) {
      const keys = [openKey(user.sessionKey, user), openKey(user.prevSessionKey, user)];
      return keys.filter((key) => key !== null);
    },
  };

  function openKey(sealedKey: string | null, owner: Pick<User, 'appId' | 'openId'>): string | null {
    return openOrNull(keyring, sealedKey, sessionKeyContext(owner));
  }
}
