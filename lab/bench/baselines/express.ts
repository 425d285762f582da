import crypto from 'node:crypto';
import axios from 'axios';
import express from 'express';
import mysql, { type RowDataPacket } from 'mysql2/promise';

// The tutorial: Express and axios, and a query for each step. Its checks are the same as the others'.

const { WX_API_BASE_URL, WX_APPID, WX_SECRET, DATABASE_URL = '', PORT } = process.env;
const pool = mysql.createPool(DATABASE_URL);
const app = express();
app.disable('x-powered-by').disable('etag');
app.use(express.json());
app.use((request, response, next) => {
  const start = Date.now();
  response.on('finish', () => {
    console.log(
      `${new Date().toISOString()} ${request.method} ${request.url} ${response.statusCode} ${Date.now() - start} ms`,
    );
  });
  next();
});

const procedures = { 'auth.login': login, 'auth.checkUser': checkUser, 'user.me': me };

app.all('/trpc/:names', async (request, response) => {
  const isBatch = request.query.batch === '1';
  const names = isBatch ? request.params.names.split(',') : [request.params.names];
  const inputs = isBatch ? request.body : { 0: request.body };
  const results = await Promise.all(
    names.map(async (name, index) => {
      const data = await procedures[name]?.(inputs?.[index], request);
      return data ? { result: { data } } : { error: { message: 'UNAUTHORIZED', code: -32_001 } };
    }),
  );
  response.set({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': crypto.randomUUID(),
    vary: 'trpc-accept, accept',
  });
  response.status(results.every(({ error }) => error) ? 401 : results.some(({ error }) => error) ? 207 : 200);
  response.json(isBatch ? results : results[0]);
});

async function exchange(code: string): Promise<{ openid?: string; session_key?: string }> {
  const { data } = await axios.get(`${WX_API_BASE_URL}/sns/jscode2session`, {
    params: { appid: WX_APPID, secret: WX_SECRET, js_code: code, grant_type: 'authorization_code' },
  });
  return data;
}

async function login({ code, rawData, signature, encryptedData, iv }) {
  const { openid, session_key } = await exchange(code);
  const expected = crypto
    .createHash('sha1')
    .update(rawData + session_key)
    .digest('hex');
  if (!openid || expected !== signature) return null;

  const decipher = crypto.createDecipheriv(
    'aes-128-cbc',
    Buffer.from(session_key, 'base64'),
    Buffer.from(iv, 'base64'),
  );
  const profile = JSON.parse(decipher.update(encryptedData, 'base64', 'utf8') + decipher.final('utf8'));
  const ageSeconds = Date.now() / 1000 - profile.watermark.timestamp;
  if (profile.watermark.appid !== WX_APPID || Math.abs(ageSeconds) > 600) return null;
  const signed = JSON.parse(rawData);
  if (Object.keys(signed).some((key) => signed[key] !== profile[key])) return null;

  return await saveLogin(openid, session_key, {
    nick_name: profile.nickName,
    avatar_url: profile.avatarUrl,
    gender: profile.gender,
    language: profile.language,
    city: profile.city,
    province: profile.province,
    country: profile.country,
  });
}

async function checkUser({ code }) {
  const { openid, session_key } = await exchange(code);
  if (!openid) return null;
  const session = await saveLogin(openid, session_key, {});
  return { hasProfile: session.user.hasProfile, ...session };
}

async function saveLogin(openid: string, session_key: string, profile: object) {
  const now = Date.now();
  const [found] = await pool.query<RowDataPacket[]>('SELECT * FROM gk_wx_user WHERE open_id = ?', [openid]);
  if (found.length === 0) {
    await pool.query('INSERT IGNORE INTO gk_wx_user SET ?', {
      open_id: openid,
      app_id: WX_APPID,
      session_key,
      session_key_at: now,
      created_at: now,
      updated_at: now,
    });
  }
  await pool.query('UPDATE gk_wx_user SET ? WHERE open_id = ?', [
    { session_key, session_key_at: now, ...profile, updated_at: now },
    openid,
  ]);
  const token = crypto.randomBytes(32).toString('base64url');
  const expiresAt = now + 7 * 24 * 60 * 60 * 1000;
  await pool.query('INSERT INTO gk_wx_session SET ?', {
    token_hash: crypto.createHash('sha256').update(token).digest(),
    open_id: openid,
    created_at: now,
    expires_at: expiresAt,
    last_used_at: now,
  });
  const [[user]] = await pool.query<RowDataPacket[]>('SELECT * FROM gk_wx_user WHERE open_id = ?', [openid]);
  return { user: shown(user), token, expiresAt };
}

async function me(_, request) {
  const token = (request.headers.authorization ?? '').replace('Bearer ', '');
  const hash = crypto.createHash('sha256').update(token).digest();
  const [[session]] = await pool.query<RowDataPacket[]>('SELECT * FROM gk_wx_session WHERE token_hash = ?', [hash]);
  if (!session || session.expires_at < Date.now()) return null;
  const [[user]] = await pool.query<RowDataPacket[]>('SELECT * FROM gk_wx_user WHERE open_id = ?', [session.open_id]);
  return shown(user);
}

app.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));

function shown(user: RowDataPacket | undefined) {
  return {
    nickName: user?.nick_name,
    avatarUrl: user?.avatar_url,
    gender: user?.gender,
    language: user?.language,
    city: user?.city,
    province: user?.province,
    country: user?.country,
    hasProfile: Boolean(user?.nick_name),
    hasPhone: Boolean(user?.phone_number),
  };
}
