import { and, eq, sql } from 'drizzle-orm';
import { maxAheadMs } from '../clock.ts';
import { type Store, StoreError } from '../store.ts';
import type { Db, Lend } from './connection.ts';
import { gkWxAccessToken as accessToken } from './schema.ts';

export function accessTokens(lend: Lend): Pick<Store, 'findAccessToken' | 'leaseAccessToken' | 'updateAccessToken'> {
  return {
    findAccessToken: (appId) => lend(async (db) => (await select(db, appId)) ?? null),
    leaseAccessToken: ({ appId, owner, now, until }) =>
      lend(async (db) => {
        const row = {
          appId,
          token: null,
          expiresAt: 0,
          forcedAt: 0,
          forcedOnDay: 0,
          leaseOwner: owner,
          leaseUntil: until,
        };
        const isFree = sql`(${accessToken.leaseUntil} <= ${now} or ${accessToken.leaseUntil} > ${now + maxAheadMs})`;
        await db
          .insert(accessToken)
          .values(row)
          .onConflictDoUpdate({
            target: accessToken.appId,
            set: {
              leaseOwner: sql`iif(${isFree}, ${owner}, ${accessToken.leaseOwner})`,
              leaseUntil: sql`iif(${isFree}, ${until}, ${accessToken.leaseUntil})`,
            },
          });
        const stored = await select(db, appId);
        if (!stored) throw new StoreError('unexpected', 'ACCESS_TOKEN_VANISHED');
        return stored;
      }),
    updateAccessToken: (appId, owner, changes) =>
      lend(async (db) => {
        await db
          .update(accessToken)
          .set(changes)
          .where(and(eq(accessToken.appId, appId), eq(accessToken.leaseOwner, owner)));
      }),
  };
}

async function select(db: Db, appId: string) {
  const [row] = await db.select().from(accessToken).where(eq(accessToken.appId, appId));
  return row;
}
