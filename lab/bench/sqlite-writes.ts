import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { eq } from 'drizzle-orm';
import { assignedColumns } from '../../src/store/logins.ts';
import { openStore } from '../../src/store/open.ts';
import { createConnection, type Db } from '../../src/store/sqlite/connection.ts';
import { createLogins } from '../../src/store/sqlite/logins.ts';
import { gkWxSession } from '../../src/store/sqlite/schema.ts';
import { upsertSet } from '../../src/store/sqlite/statements.ts';
import { user } from '../../src/store/sqlite/user-table.ts';
import type { LoginWrite } from '../../src/store/store.ts';
import { migrate } from './contestants.ts';
import { connections, median } from './measure.ts';
import { shown } from './report.ts';

/**
 * SQLite with full durability, 32 logins at a time: their writes in a transaction each, as plain Drizzle has them; the same
 * with the statements that the store keeps; and the store's joined ones.
 */
export async function compareSqliteWrites(directory: string, rounds = 7): Promise<void> {
  const databaseUrl = `file:${path.join(directory, 'writes.db')}`;
  await migrate(databaseUrl);
  const connection = createConnection({ databaseUrl, timeoutMs: 60_000 });
  const store = await openStore({ databaseUrl, timeoutMs: 60_000, poolSize: 1 });
  const logins = createLogins();
  const ways = {
    plain: (login: LoginWrite) => connection.lend((db) => saveByDrizzle(db, login)),
    alone: (login: LoginWrite) => connection.lend((db) => logins.save(db, [login])),
    joined: (login: LoginWrite) => store.saveLogin(login),
  };
  const wall = { plain: [] as number[], alone: [] as number[], joined: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const way of ['plain', 'alone', 'joined'] as const) {
      const us = await wallUs(ways[way]);
      if (round >= 0) wall[way].push(us);
    }
  }
  await connection.close();
  await store.close();
  const share = (way: 'plain' | 'alone') => {
    const ratios = wall.joined.map((us, round) => us / (wall[way][round] ?? Number.NaN));
    return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios), isNoisy: false };
  };
  const us = (way: keyof typeof wall) => `${median(wall[way]).toFixed(0)} µs`;
  const plain = share('plain');
  console.log(
    `${plain.median <= 0.2 ? '✓' : '✗'} SQLite: joined writes ÷ plain ones ≤ 0.2 in wall time: ${shown(plain)}, ${us('joined')} for ${us('plain')}; ÷ prepared ones in a transaction each: ${shown(share('alone'))}, ${us('alone')}`,
  );
}

function saveByDrizzle(db: Db, { tokenHash, expiresAt, now, openId, profile, appId, unionId, ...key }: LoginWrite) {
  const row = { ...profile, ...key, openId, appId, unionId, createdAt: now, updatedAt: now };
  return db.batch([
    db
      .insert(user)
      .values(row)
      .onConflictDoUpdate({ target: user.openId, set: assignedColumns(upsertSet) }),
    db.insert(gkWxSession).values({ tokenHash, openId, createdAt: now, expiresAt, lastUsedAt: now }),
    db.select().from(user).where(eq(user.openId, openId)),
  ]);
}

async function wallUs(save: (login: LoginWrite) => Promise<unknown>, count = 3200): Promise<number> {
  const start = performance.now();
  let next = 0;
  async function writer(): Promise<void> {
    while (next < count) await save(loginOf(next++));
  }
  await Promise.all(Array.from({ length: connections }, writer));
  return ((performance.now() - start) * 1000) / count;
}

function loginOf(index: number): LoginWrite {
  const now = Date.now();
  return {
    openId: `oBENCH${String(index % 2000).padStart(16, '0')}`,
    appId: 'wx0123456789abcdef',
    unionId: null,
    sessionKey: `v1.bench.${randomBytes(40).toString('base64url')}`,
    sessionKeyFingerprint: 'bench.fingerprint',
    sessionKeyAt: now,
    profile: {
      nickName: '果壳',
      avatarUrl: null,
      gender: 1,
      language: 'zh_CN',
      city: '深圳',
      province: '广东',
      country: '中国',
    },
    tokenHash: randomBytes(32),
    now,
    expiresAt: now + 1000,
  };
}
