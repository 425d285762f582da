import * as v from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z as zod4 } from 'zod';
import * as mini from 'zod/mini';
import { z as zod3 } from 'zod/v3';
import { publicProcedure, router } from '../src/index.ts';
import { type Backend, startBackend } from './support/backend.ts';

const echo = router({
  zod4: publicProcedure
    .input(zod4.object({ text: zod4.string(), tags: zod4.array(zod4.object({ id: zod4.number() })) }))
    .mutation(() => 'taken'),
  zod3: publicProcedure
    .input(zod3.object({ text: zod3.string(), tags: zod3.array(zod3.object({ id: zod3.number() })) }))
    .mutation(() => 'taken'),
  zodMini: publicProcedure
    .input(mini.object({ text: mini.string(), tags: mini.array(mini.object({ id: mini.number() })) }))
    .mutation(() => 'taken'),
  valibot: publicProcedure
    .input(v.object({ text: v.string(), tags: v.array(v.object({ id: v.number() })) }))
    .mutation(() => 'taken'),
  /** A parser that is a function names no field. */
  ownFunction: publicProcedure
    .input((input: unknown) => {
      if (Object(input).text !== 'good') throw new Error('secret words');
      return input;
    })
    .mutation(() => 'taken'),
});

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({ router: router({ echo }) });
});
afterAll(() => backend.close());

async function call(procedure: string, input: unknown) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${backend.url}/trpc/echo.${procedure}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(input),
  });
  const { result, error } = (await response.json()) as {
    result?: { data: unknown };
    error?: { message: string; data: { reason: string } };
  };
  return { status: response.status, data: result?.data, message: error?.message, reason: error?.data.reason };
}

test.each(['zod4', 'zod3', 'zodMini', 'valibot'])('the fields that %s refuses are named', async (validator) => {
  const good = { text: 'good', tags: [{ id: 1 }] };
  expect(await call(validator, good)).toMatchObject({ status: 200, data: 'taken' });
  const refused = { status: 400, reason: 'INPUT_INVALID' };
  expect(await call(validator, { text: 1, tags: [{ id: 1 }, { id: 'hush' }] })).toMatchObject({
    ...refused,
    message: 'The input is not valid: text, tags.1.id',
  });
  expect(await call(validator, 'hush')).toMatchObject({ ...refused, message: 'The input is not valid: input' });
});

test('an input that an owner’s own parser refuses is INPUT_INVALID, and the words of its error stay inside', async () => {
  expect(await call('ownFunction', { text: 'good' })).toMatchObject({ status: 200 });
  const refused = { status: 400, reason: 'INPUT_INVALID', message: 'The input is not valid' };
  expect(await call('ownFunction', { text: 'bad' })).toMatchObject(refused);
});
