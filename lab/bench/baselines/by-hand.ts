import { createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Agent, get } from 'node:http';
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';

// What a careful developer writes without any framework: the same exchange, the same proof of the profile and the same
// rows as guoke's. Left out, and so in its favour: sealing of the session key, the previous key, deadlines, retries,
// checks of every shape, masking of errors.

const { WX_API_BASE_URL, WX_APPID, WX_SECRET, DATABASE_URL = '' } = process.env;

export class Refused extends Error {}

interface Login {
  code: string;
  appId: string | undefined;
  rawData: string;
  signature: string;
  encryptedData: string;
  iv: string;
}

const pool = createPool({ uri: DATABASE_URL, connectionLimit: 10 });
const agent = new Agent({ keepAlive: true });
const fields = ['nickName', 'avatarUrl', 'gender', 'language', 'city', 'province', 'country'] as const;

export async function login(input: unknown) {
  const { code, rawData, signature, encryptedData, iv } = checked(input);
  const { openid, session_key } = await exchange(code);

  if (
    createHash('sha1')
      .update(rawData + session_key)
      .digest('hex') !== signature
  )
    throw new Refused();
  const decipher = createDecipheriv('aes-128-cbc', Buffer.from(session_key, 'base64'), Buffer.from(iv, 'base64'));
  const plaintext = decipher.update(encryptedData, 'base64', 'utf8') + decipher.final('utf8');
  const { watermark, ...profile } = JSON.parse(plaintext);
  const ageSeconds = Date.now() / 1000 - watermark.timestamp;
  if (watermark.appid !== WX_APPID || ageSeconds > 600 || ageSeconds < -300) throw new Refused();
  const signed = JSON.parse(rawData);
  for (const field of fields) if (profile[field] !== signed[field]) throw new Refused();

  const now = Date.now();
  await pool.execute<ResultSetHeader>(
    `insert into gk_wx_user (open_id, app_id, session_key, session_key_at, nick_name, avatar_url, gender, language, city, province, country, created_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on duplicate key update session_key = values(session_key), session_key_at = values(session_key_at),
       nick_name = values(nick_name), avatar_url = values(avatar_url), gender = values(gender), language = values(language),
       city = values(city), province = values(province), country = values(country), updated_at = values(updated_at)`,
    [openid, WX_APPID, session_key, now, ...fields.map((field) => profile[field]), now, now],
  );
  return await openSession(openid, now);
}

/** The call at each launch: a code alone. */
export async function checkUser(input: unknown) {
  const { openid, session_key } = await exchange(checkedCode(input));
  const now = Date.now();
  await pool.execute<ResultSetHeader>(
    `insert into gk_wx_user (open_id, app_id, session_key, session_key_at, created_at, updated_at) values (?, ?, ?, ?, ?, ?)
     on duplicate key update session_key = values(session_key), session_key_at = values(session_key_at), updated_at = values(updated_at)`,
    [openid, WX_APPID ?? null, session_key, now, now, now],
  );
  const session = await openSession(openid, now);
  return { hasProfile: session.user.hasProfile, ...session };
}

async function openSession(openid: string, now: number) {
  const token = randomBytes(32).toString('base64url');
  const expiresAt = now + 7 * 24 * 60 * 60 * 1000;
  await pool.execute<ResultSetHeader>(
    'insert into gk_wx_session (token_hash, open_id, created_at, expires_at, last_used_at) values (?, ?, ?, ?, ?)',
    [createHash('sha256').update(token).digest(), openid, now, expiresAt, now],
  );
  const [[user]] = await pool.execute<RowDataPacket[]>('select * from gk_wx_user where open_id = ?', [openid]);
  return { user: shown(user), token, expiresAt };
}

export async function me(authorization: string | undefined) {
  const token = /^Bearer ([\w-]{43})$/.exec(authorization ?? '')?.[1];
  if (!token) throw new Refused();
  const [[user]] = await pool.execute<RowDataPacket[]>(
    `select u.*, s.last_used_at from gk_wx_session s join gk_wx_user u on u.open_id = s.open_id
     where s.token_hash = ? and s.expires_at > ?`,
    [createHash('sha256').update(token).digest(), Date.now()],
  );
  if (!user) throw new Refused();
  if (Date.now() - user.last_used_at > 60 * 60 * 1000) throw new Error('not in this benchmark');
  return shown(user);
}

function checked(input: unknown): Omit<Login, 'appId'> {
  const { rawData = '', signature = '', encryptedData = '', iv = '' } = Object(input) as Partial<Login>;
  const code = checkedCode(input);
  if (!/^[0-9a-f]{40}$/.test(signature) || iv.length !== 24) throw new Refused();
  if (rawData.length > 8192 || encryptedData.length > 16_384) throw new Refused();
  return { code, rawData, signature, encryptedData, iv };
}

function checkedCode(input: unknown): string {
  const { code = '', appId = WX_APPID } = Object(input) as Partial<Login>;
  if (!/^[\w-]{1,128}$/.test(code) || appId !== WX_APPID) throw new Refused();
  return code;
}

function exchange(code: string): Promise<{ openid: string; session_key: string }> {
  const query = `appid=${WX_APPID}&secret=${WX_SECRET}&js_code=${encodeURIComponent(code)}&grant_type=authorization_code`;
  return new Promise((resolve, reject) => {
    get(`${WX_API_BASE_URL}/sns/jscode2session?${query}`, { agent, timeout: 3000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => {
        const parsed = JSON.parse(text);
        if (parsed.openid) resolve(parsed);
        else reject(new Refused());
      });
    }).on('error', reject);
  });
}

function shown(user: RowDataPacket | undefined) {
  return {
    nickName: user?.nick_name,
    avatarUrl: user?.avatar_url,
    gender: user?.gender,
    language: user?.language,
    city: user?.city,
    province: user?.province,
    country: user?.country,
    hasProfile: user?.nick_name !== null,
    hasPhone: user?.phone_number !== null,
  };
}
