import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError, defineReasons, openApiDocument, publicProcedure, router } from '../src/index.ts';
import { type Backend, startBackend } from './support/backend.ts';

const reasons = defineReasons({
  NOTES_FULL: { code: 'CONFLICT', retry: 'never', message: 'There is no room for another note' },
  NOTES_CLOSED: {
    code: 'SERVICE_UNAVAILABLE',
    retry: 'later',
    message: 'Notes are closed for the night',
    retryAfterSeconds: 900,
  },
});

const notes = router({
  full: publicProcedure.mutation(() => {
    throw new AppError(reasons.NOTES_FULL, { detail: { code: 'HUNDRED' } });
  }),
  closed: publicProcedure.mutation(() => {
    throw new AppError(reasons.NOTES_CLOSED);
  }),
  limited: publicProcedure.mutation(() => {
    throw new AppError('RATE_LIMITED');
  }),
  limitedForLess: publicProcedure.mutation(() => {
    throw new AppError('RATE_LIMITED', { retryAfterSeconds: 0.5 });
  }),
});

describe("an owner's own refusals", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend({ router: router({ notes }), env: { METRICS_PORT: '0' } });
  });
  afterAll(() => backend.close());

  async function call(procedure: string) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${backend.url}/trpc/notes.${procedure}`, { method: 'POST', headers });
    const { error } = (await response.json()) as { error: object };
    const requestId = response.headers.get('x-request-id');
    const lines = backend.logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    const [line] = lines.filter((each) => each.requestId === requestId);
    return { status: response.status, error, retryAfter: response.headers.get('retry-after'), line };
  }

  test('an owner’s reason reaches the caller with its status and words, and the log as information', async () => {
    const data = { code: 'CONFLICT', httpStatus: 409, path: 'notes.full', reason: 'NOTES_FULL', retry: 'never' };
    const { status, error, retryAfter, line } = await call('full');
    expect([status, retryAfter]).toEqual([409, null]);
    expect(error).toMatchObject({ message: 'There is no room for another note', data });
    expect(line).toMatchObject({ level: 30, reason: 'NOTES_FULL', code: 'HUNDRED', procedure: 'notes.full' });
    const metrics = await (await fetch(`${backend.metricsUrl}/metrics`)).text();
    expect(metrics).toContain('procedure="notes.full",reason="NOTES_FULL"} 1');
  });

  test('an owner’s reason that the server causes is logged as a warning, and says when to come back', async () => {
    const { status, error, retryAfter, line } = await call('closed');
    expect([status, retryAfter]).toEqual([503, '900']);
    expect(error).toMatchObject({ data: { reason: 'NOTES_CLOSED', retry: 'later' } });
    expect(line).toMatchObject({ level: 40 });
  });

  test('RATE_LIMITED says when to come back, in whole seconds, whatever its thrower says', async () => {
    expect(await call('limited')).toMatchObject({ status: 429, retryAfter: '60' });
    expect(await call('limitedForLess')).toMatchObject({ status: 429, retryAfter: '1' });
  });
});

test("the OpenAPI document names an owner's reasons beside guoke's", () => {
  const { components } = openApiDocument(router({ notes }), { title: 'Notes', version: '1' }, reasons);
  const named = /"reason":\{"type":"string","enum":\[(.*?)\]/.exec(JSON.stringify(components))?.[1];
  expect(named?.split(',')).toEqual(expect.arrayContaining(['"INPUT_INVALID"', '"NOTES_FULL"', '"NOTES_CLOSED"']));
});

test('a reason that guoke has already, or whose name cannot be a label, is refused by the compiler and at run time', () => {
  const outcome = { code: 'CONFLICT', retry: 'never', message: 'x' } as const;
  // @ts-expect-error RATE_LIMITED means one thing on every server.
  expect(() => defineReasons({ RATE_LIMITED: outcome })).toThrow(/RATE_LIMITED is a reason of guoke/);
  // @ts-expect-error OK is the word for a call that did not fail.
  expect(() => defineReasons({ OK: outcome })).toThrow(/OK is a reason of guoke/);
  expect(() => defineReasons({ 'notes full': outcome })).toThrow(/is not a valid reason/);
  expect(() => defineReasons({ notesFull: outcome })).toThrow(/is not a valid reason/);
  expect(() => defineReasons({ '': outcome })).toThrow(/is not a valid reason/);
  expect(() => defineReasons({ 'NOTES\n': outcome })).toThrow(/is not a valid reason/);
});
