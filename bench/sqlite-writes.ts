import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { openStore } from '../src/store/open.ts';
import { createConnection } from '../src/store/sqlite/connection.ts';
import { createLogins } from '../src/store/sqlite/logins.ts';
import type { LoginWrite } from '../src/store/store.ts';
import { migrate } from './contestants.ts';
import { connections, median } from './measure.ts';

/** A login's write in a transaction of its own, and the store's joined ones: SQLite with full durability, 32 at a time. */
export async function compareSqliteWrites(directory: string, rounds = 5): Promise<void> {
  const databaseUrl = `file:${path.join(directory, 'writes.db')}`;
  await migrate(databaseUrl);
  const connection = createConnection({ databaseUrl, timeoutMs: 60_000 });
  const store = openStore({ databaseUrl, timeoutMs: 60_000, poolSize: 1 });
  const logins = createLogins();
  const ways = {
    plain: (login: LoginWrite) => connection.lend((db) => logins.save(db, [login])),
    joined: (login: LoginWrite) => store.saveLogin(login),
  };
  const wall = { plain: [] as number[], joined: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const way of ['plain', 'joined'] as const) {
      const us = await wallUs(ways[way]);
      if (round >= 0) wall[way].push(us);
    }
  }
  await connection.close();
  await store.close();
  const ratios = wall.joined.map((us, round) => us / (wall.plain[round] ?? Number.NaN));
  const [plain, joined, share] = [median(wall.plain), median(wall.joined), median(ratios)];
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `${share <= 0.2 ? '✓' : '✗'} SQLite: joined writes ÷ plain ones ≤ 0.2 in wall time: ${share.toFixed(2)} (${spread}), ${joined.toFixed(0)} µs for ${plain.toFixed(0)}`,
  );
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
