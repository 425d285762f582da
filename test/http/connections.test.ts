import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { publicProcedure, router } from '../../src/trpc.ts';
import { type Backend, startBackend } from '../support/backend.ts';

let backend: Backend;
let running = 0;
let mostRunning = 0;
beforeAll(async () => {
  const large = publicProcedure.query(() => 'x'.repeat(1024 * 1024));
  const slow = publicProcedure.query(async () => {
    running += 1;
    mostRunning = Math.max(mostRunning, running);
    await sleep(5);
    running -= 1;
    return 'slow';
  });
  backend = await startBackend({ router: router({ large, slow }) });
});
afterAll(() => backend.close());

/** Sends so many requests at once. */
function pipeline(path: string, count: number): Socket {
  const { hostname, port } = new URL(backend.url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(count));
  return socket;
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

test('requests of one connection run one after another, and all are answered', async () => {
  const socket = pipeline('/trpc/slow', 16);
  let received = '';
  socket.on('data', (bytes) => (received += bytes.toString()));
  await expect.poll(() => received.match(/HTTP\/1\.1 200/g)?.length).toBe(16);
  expect(mostRunning).toBe(1);
});

test('a connection on which more than 16 requests wait is closed, and the waiting requests do not run', async () => {
  mostRunning = 0;
  const linesBefore = backend.logged.length;
  const socket = pipeline('/trpc/slow', 100);
  socket.resume();
  await closed(socket);
  await sleep(50);
  expect(backend.logged.slice(linesBefore).filter((line) => line.includes('"call"')).length).toBeLessThan(3);
});

test('a peer that does not read its answers is cut off, and others are served meanwhile', async () => {
  const deaf = Array.from({ length: 20 }, () => pipeline('/trpc/large', 16).pause());
  const ends = Promise.all(
    deaf.map(async (socket) => {
      await sleep(20_000);
      let bytes = 0;
      socket.on('data', (chunk) => (bytes += chunk.length)).resume();
      await closed(socket);
      return bytes;
    }),
  );
  const other = await fetch(`${backend.url}/trpc/slow`);
  expect(other.status).toBe(200);
  // What the kernel holds arrives; the rest of 16 MB does not.
  for (const bytes of await ends) expect(bytes).toBeLessThan(12 * 1024 * 1024);
});
