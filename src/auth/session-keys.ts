import { CryptoError, fingerprint, open, seal, type Keyring } from '../crypto.ts';
import type { User } from '../store/store.ts';
import type { Exchange } from '../wechat/exchange.ts';

/** Keeps WeChat's session keys: the only place where a stored one is in clear, and for a moment only. */
export interface SessionKeys {
  /** The exchange's session key as the store keeps it. */
  sealed(exchange: Exchange): { sessionKey: string; sessionKeyFingerprint: string };
  /**
   * The key that the user had before the one that this exchange brought, in base64: profile data may have been
   * sealed with it, since `wx.login` may rotate the key after `wx.getUserProfile`. null when there is none, or none
   * that opens.
   */
  previous(user: User | null, exchange: Exchange): string | null;
}

/** What a sealed session key is bound to: moved to another column, app or user, it opens no more. */
export function sessionKeyContext({ appId, openId }: Pick<User, 'appId' | 'openId'>): readonly string[] {
  return ['session_key', appId, openId];
}

export function createSessionKeys(keyring: Keyring): SessionKeys {
  return {
    sealed(exchange) {
      const context = sessionKeyContext(exchange);
      return {
        sessionKey: seal(keyring, exchange.sessionKey, context),
        sessionKeyFingerprint: fingerprint(keyring, exchange.sessionKey, context),
      };
    },
    previous(user, exchange) {
      if (!user || user.appId !== exchange.appId) return null;
      // A later exchange was stored while this one waited for WeChat: the key before both is the one that it moved.
      if (user.sessionKeyAt > exchange.startedAt) return openOrNull(user.prevSessionKey, exchange);
      const current = openOrNull(user.sessionKey, exchange);
      return current === exchange.sessionKey ? openOrNull(user.prevSessionKey, exchange) : current;
    },
  };

  /** A value that does not open counts as no key: damage in the database must not stop a login. */
  function openOrNull(sealedKey: string | null, exchange: Exchange): string | null {
    if (sealedKey === null) return null;
    try {
      return open(keyring, sealedKey, sessionKeyContext(exchange));
    } catch (error) {
      if (error instanceof CryptoError) return null;
      throw error;
    }
  }
}
