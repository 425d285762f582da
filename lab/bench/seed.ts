import { createClient } from '@libsql/client';
import { createConnection } from 'mysql2/promise';
import { hashToken } from '../../src/crypto.ts';

// The users that are there before the clock starts, by number, each with one session. A database makes them by the same rule.

/** Of the length of WeChat's. Numbers that follow one another are far apart in the order of openids. */
export function openIdOf(user: number): string {
  return `oBENCH${String((user * 48271) % 2147483647).padStart(22, '0')}`;
}

export function tokenOf(user: number): string {
  return `${String(user).padStart(42, 'A')}A`;
}

/** A way through all users, of which every stretch is spread over the table: 7919 is a prime that divides none of our sizes. */
export function nthUser(index: number, users: number): number {
  return (index * 7919) % users;
}

const columns = `open_id, app_id, session_key, session_key_fingerprint, session_key_at, nick_name, city, country, gender, created_at, updated_at`;
const sessionColumns = `token_hash, open_id, created_at, expires_at, last_used_at`;
/** Far off, and used just now: no look-up has to extend it. */
const [now, expiresAt] = [Date.now(), 4_102_444_800_000];

export async function fillMysql(databaseUrl: string, users: number): Promise<void> {
  const connection = await createConnection(databaseUrl);
  const openId = `concat('oBENCH', lpad((seq * 48271) % 2147483647, 22, '0'))`;
  const tokenHash = `unhex(sha2(concat(lpad(seq, 42, 'A'), 'A'), 256))`;
  await connection.query(`insert into gk_wx_user (${columns})
    select ${openId}, 'wx0123456789abcdef', repeat('k', 90), repeat('f', 50), 1, concat('用户', seq), '深圳', 'China', 1, 1, 1
    from seq_0_to_${users - 1} order by 1`);
  await connection.query(`insert into gk_wx_session (${sessionColumns})
    select ${tokenHash}, ${openId}, ${now}, ${expiresAt}, ${now} from seq_0_to_${users - 1} order by 1`);
  await connection.end();
}

export async function fillSqlite(file: string, users: number): Promise<void> {
  const client = createClient({ url: `file:${file}` });
  const openId = `printf('oBENCH%022d', (n * 48271) % 2147483647)`;
  await client.execute(`insert into gk_wx_user (${columns})
    with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${users - 1})
    select ${openId}, 'wx0123456789abcdef', printf('%.90c', 'k'), printf('%.50c', 'f'), 1, '用户' || n, '深圳', 'China', 1, 1, 1
    from numbers order by 1`);
  // SQLite has no hash function.
  const hashes = Array.from({ length: users }, (_, n) => [hashToken(tokenOf(n)).toString('hex'), n] as const);
  hashes.sort(([a], [b]) => (a < b ? -1 : 1));
  for (let from = 0; from < users; from += 50_000) {
    await client.execute({
      sql: `insert into gk_wx_session (${sessionColumns})
        select unhex(hash), ${openId}, ${now}, ${expiresAt}, ${now}
        from (select value ->> 0 as hash, value ->> 1 as n from json_each(?))`,
      args: [JSON.stringify(hashes.slice(from, from + 50_000))],
    });
  }
  client.close();
}
