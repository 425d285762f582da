import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTcpProxy, throughProxy } from '../../lab/faults/tcp-proxy.ts';
import { createSerialQueue } from '../../src/limits/serial-queue.ts';
import { type Backend, failureOf, startBackend } from '../support/backend.ts';
import { hasMysql, mysql } from '../support/databases.ts';

/** Some 150 KiB of base64: noise is not made smaller. */
async function largePicture(): Promise<string> {
  const raw = { width: 200, height: 200, channels: 3 } as const;
  const bytes = await sharp(randomBytes(200 * 200 * 3), { raw })
    .png()
    .toBuffer();
  return bytes.toString('base64');
}

const tokenOf = async (backend: Backend, user: string) =>
  (await backend.client().auth.checkUser.mutate({ code: backend.standin.phone.login({ user }).code })).token;

test('a user who stalls eight bodies holds two slots, and pictures of others are read meanwhile', async () => {
  const backend = await startBackend();
  onTestFinished(() => backend.close());
  const [bad, good] = [await tokenOf(backend, 'bad'), await tokenOf(backend, 'good')];
  const head = `POST /trpc/user.updateProfile HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500000\r\n`;
  const refused: string[] = [];
  const stalled = Array.from({ length: 8 }, () => {
    const socket = connect(Number(new URL(backend.url).port), '127.0.0.1').on('error', () => {});
    socket.on('data', (bytes) => refused.push(bytes.toString()));
    socket.write(`${head}authorization: Bearer ${bad}\r\n\r\n{`);
    return socket;
  });
  onTestFinished(() => void stalled.map((socket) => socket.destroy()));
  await expect.poll(() => refused.length, { timeout: 3000 }).toBe(6);
  for (const answer of refused) expect(answer).toMatch(/^HTTP\/1\.1 429 [^]*"reason":"RATE_LIMITED"/);
  const avatar = await largePicture();
  const { avatarUrl } = await backend.client(good).user.updateProfile.mutate({ avatar });
  expect(avatarUrl).toMatch(/^\/avatars\//);
  expect(await failureOf(backend.client(bad).user.updateProfile.mutate({ avatar }))).toMatchObject({
    reason: 'RATE_LIMITED',
  });
  for (const socket of stalled) socket.destroy();
  // A caller who hangs up frees the slot.
  await expect.poll(() => failureOf(backend.client(bad).user.updateProfile.mutate({ avatar }))).toBeNull();
});

test('a body that stalls is refused after 3 s, and its place is free', async () => {
  const backend = await startBackend();
  onTestFinished(() => backend.close());
  const token = await tokenOf(backend, 'slow');
  const begun = performance.now();
  const answers: string[] = [];
  const stalled = Array.from({ length: 2 }, () => {
    const socket = connect(Number(new URL(backend.url).port), '127.0.0.1').on('error', () => {});
    socket.on('data', (bytes) => answers.push(bytes.toString()));
    socket.write(
      `POST /trpc/user.updateProfile HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500000\r\nauthorization: Bearer ${token}\r\n\r\n{`,
    );
    return socket;
  });
  onTestFinished(() => void stalled.map((socket) => socket.destroy()));
  await expect.poll(() => answers.length).toBe(2);
  expect(performance.now() - begun).toBeGreaterThan(2500);
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 429 [^]*"reason":"RATE_LIMITED"/);
  const { avatarUrl } = await backend.client(token).user.updateProfile.mutate({ avatar: await largePicture() });
  expect(avatarUrl).toMatch(/^\/avatars\//);
});

describe('a serial queue', () => {
  const createQueue = () =>
    createSerialQueue({ maxWorkMs: 1000, fullError: () => new Error('full'), lateError: () => new Error('late') });
  const settled = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);

  test('a serial queue runs two of one key, in the order of arrival, and other keys in between', async () => {
    const queue = createQueue();
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(name);
      await sleep(20);
      return name;
    };
    const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1'].map((name) =>
      settled(queue.run(name.slice(0, 1), work(name))),
    );
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'full', 'b1', 'b2', 'full', 'c1']);
    expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
    expect(await settled(queue.run('a', work('a4')))).toBe('a4');
  });

  test('a serial queue frees the slot of work that failed', async () => {
    const queue = createQueue();
    for (let i = 0; i < 4; i++) {
      expect(await settled(queue.run('a', () => Promise.reject(new Error('no picture'))))).toBe('no picture');
    }
  });

  test('a serial queue holds nine of all keys together', async () => {
    const queue = createQueue();
    const works = Array.from({ length: 12 }, (_, index) => settled(queue.run(`user${index}`, () => sleep(5))));
    expect((await Promise.all(works)).filter((word) => word === 'full')).toHaveLength(3);
  });
});

describe.skipIf(!hasMysql)('pictures on a slow database', () => {
  test('a picture waits no longer for the database than any other call: its token and its own work share one budget', async () => {
    const databaseUrl = await mysql.createUrl();
    const proxy = await startTcpProxy(Number(new URL(databaseUrl).port));
    onTestFinished(() => proxy.close());
    const env = { DATABASE_TIMEOUT_MS: '2000' };
    const backend = await startBackend({ databaseUrl: throughProxy(databaseUrl, proxy), env });
    onTestFinished(() => backend.close());
    const client = backend.client(await tokenOf(backend, 'slow'));
    const avatar = await largePicture();
    // The decoder is loaded, and the connections are there.
    await client.user.updateProfile.mutate({ avatar });
    // An hour later its use is a write too.
    backend.clock.now += 60 * 60 * 1000;
    await proxy.turn({ kind: 'delay', ms: 800 });
    const begun = performance.now();
    expect(await failureOf(client.user.updateProfile.mutate({ avatar }))).toMatchObject({
      reason: 'DATABASE_UNAVAILABLE',
    });
    // 2.6 s, and the time of the picture itself.
    expect(performance.now() - begun).toBeLessThan(4000);
    await proxy.turn({ kind: 'pass' });
  });
});
