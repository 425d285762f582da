import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { devApp, startStandin } from '@guoke/standin';
import { start } from './start.ts';

// The stand-in for WeChat and the server are real; only the phone is missing, and `fetch` takes its place.

let folder: string;
let standin: Awaited<ReturnType<typeof startStandin>>;
let server: Awaited<ReturnType<typeof start>>;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'notes-'));
  standin = await startStandin();
  server = await start({
    WX_APPID: devApp.appId,
    WX_SECRET: devApp.secret,
    WX_API_BASE_URL: standin.url,
    DATABASE_URL: `file:${folder}/guoke.db`,
    NOTES_FILE: `${folder}/notes.db`,
    LOG_LEVEL: 'silent',
    PORT: '0',
  });
});
after(async () => {
  await server.close();
  await standin.close();
  await rm(folder, { recursive: true });
});

async function call(procedure: string, { input, token = '' }: { input?: unknown; token?: string } = {}) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const post = { method: 'POST', headers, body: JSON.stringify(input) };
  const response = await fetch(`${server.url}/trpc/${procedure}`, input === undefined ? { headers } : post);
  const { result, error } = (await response.json()) as {
    result?: { data: unknown };
    error?: { data: { reason: string } };
  };
  return result?.data ?? error?.data.reason;
}

async function login(user: string): Promise<string> {
  const { code } = standin.phone.login({ user });
  const { token } = (await call('auth.checkUser', { input: { code } })) as { token: string };
  return token;
}

void test('a user sees their own notes alone', async () => {
  const [ming, hong] = [await login('ming'), await login('hong')];
  await call('notes.add', { token: ming, input: { text: '牛奶' } });
  const mine = (await call('notes.mine', { token: ming })) as { text: string }[];
  assert.deepEqual(
    mine.map(({ text }) => text),
    ['牛奶'],
  );
  assert.deepEqual(await call('notes.mine', { token: hong }), []);
});

void test('a note without a login or without a text is refused', async () => {
  assert.equal(await call('notes.add', { input: { text: 'x' } }), 'SESSION_INVALID');
  assert.equal(await call('notes.add', { token: await login('ming'), input: { text: '' } }), 'INPUT_INVALID');
});
