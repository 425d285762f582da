import { createTRPCClient, httpLink } from '@trpc/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { encrypt } from '../../packages/standin/src/seal.ts';
import { authRouter, router, signedInProcedure, userRouter } from '../../src/index.ts';
import { userStateSignature } from '../../src/wechat/session-key-calls.ts';
import { type Backend, failureOf, startBackend } from '../support/backend.ts';

const sealed = z.object({ encryptedData: z.string().max(16_384), iv: z.string().length(24) });

/** What `wx.getWeRunData` seals. */
const weRun = z.object({
  stepInfoList: z.array(z.object({ timestamp: z.number(), step: z.number().int().min(0) })).max(31),
});

const stepsRouter = router({
  /** The steps of the last day that WeChat knows. */
  today: signedInProcedure
    .input(sealed)
    .output(z.object({ steps: z.number() }))
    .mutation(async ({ ctx, input }) => {
      const { stepInfoList } = await ctx.openData.decrypt(input, weRun);
      return { steps: stepInfoList.at(-1)?.step ?? 0 };
    }),
});

const keyRouter = router({
  anything: signedInProcedure.input(sealed).mutation(async ({ ctx, input }) => await ctx.openData.decrypt(input)),
  steps: signedInProcedure.input(sealed).mutation(async ({ ctx, input }) => await ctx.openData.decrypt(input, weRun)),
  sign: signedInProcedure.input(z.string()).mutation(({ ctx, input }) => ctx.openData.sign(input)),
  check: signedInProcedure.mutation(({ ctx }) => ctx.openData.checkSessionKey()),
  reset: signedInProcedure.mutation(({ ctx }) => ctx.openData.resetSessionKey()),
  plugin: signedInProcedure
    .input(z.string())
    .mutation(({ ctx, input }) => ctx.wechat.pluginOpenPid(input, ctx.user.appId)),
});
const appRouter = router({ auth: authRouter, user: userRouter, steps: stepsRouter, key: keyRouter });

test('the user-state signature equals that of WeChat’s own example', () => {
  const signature = userStateSignature('{"foo":"bar"}', 'o0q0otL8aEzpcZL/FT9WsQ==');
  expect(signature).toBe('654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b');
});

describe('open data of the signed-in user', () => {
  let backend: Backend;
  let users = 0;
  beforeAll(async () => {
    backend = await startBackend({ router: appRouter });
  });
  afterAll(() => backend.close());

  async function signedUp() {
    const user = `open${++users}`;
    const login = (rotate = false) =>
      backend.client().auth.checkUser.mutate({ code: backend.standin.phone.login({ user, rotate }).code });
    const { token } = await login();
    const headers = { authorization: `Bearer ${token}` };
    const client = createTRPCClient<typeof appRouter>({ links: [httpLink({ url: `${backend.url}/trpc`, headers })] });
    const steps = (step: number, timestamp?: number) => {
      const data = {
        stepInfoList: [
          { timestamp: 1714003200, step: 1 },
          { timestamp: 1714089600, step },
        ],
      };
      const { encryptedData, iv } = backend.standin.phone.openData({
        user,
        data,
        ...(timestamp !== undefined && { timestamp }),
      });
      return { encryptedData, iv };
    };
    return { user, login, client, steps, person: () => backend.standin.person(user) };
  }

  test('WeRun steps are decrypted by the present key and by the one before, and by no older one', async () => {
    const { client, steps, login } = await signedUp();
    const data = steps(8000);
    expect(await client.steps.today.mutate(data)).toEqual({ steps: 8000 });
    // What the schema does not name, the watermark here, stays inside.
    expect(Object.keys(await client.key.steps.mutate(data))).toEqual(['stepInfoList']);
    await login(true);
    expect(await client.steps.today.mutate(data)).toEqual({ steps: 8000 });
    expect(await client.steps.today.mutate(steps(9000))).toEqual({ steps: 9000 });
    await login(true);
    expect(await failureOf(client.steps.today.mutate(data))).toMatchObject({
      reason: 'PROFILE_REJECTED',
      retry: 'login',
    });
  });

  test('open data of another user, of another app, too old, of another shape or damaged is refused with one answer', async () => {
    const { client, steps, person } = await signedUp();
    const other = await signedUp();
    const now = Math.floor(backend.clock.now / 1000);
    const sealedBy = (plain: unknown) => encrypt(JSON.stringify(plain), person().sessionKey);
    const watermark = { appid: person().appId, timestamp: now };
    const wrong = {
      'of another user': other.steps(1),
      'too old': steps(1, now - 601),
      'too far ahead': steps(1, now + 301),
      'of another app': sealedBy({ stepInfoList: [], watermark: { ...watermark, appid: 'wxother' } }),
      'without a watermark': sealedBy({ stepInfoList: [] }),
      'of another shape': sealedBy({ stepInfoList: 'x', watermark }),
      'no object': sealedBy([]),
      'nested deep': encrypt(`${'['.repeat(5000)}${']'.repeat(5000)}`, person().sessionKey),
      junk: { encryptedData: 'AAAA', iv: 'A'.repeat(24) },
      'no base64': { ...steps(1), iv: '*'.repeat(24) },
    };
    for (const [what, input] of Object.entries(wrong)) {
      expect([what, await failureOf(client.steps.today.mutate(input))]).toMatchObject([
        what,
        { reason: 'PROFILE_REJECTED' },
      ]);
    }
    const group = backend.standin.phone.openData({ user: person().user, data: { openGId: 'tGroup' } });
    const { errMsg: _, ...input } = group;
    expect(await client.key.anything.mutate(input)).toMatchObject({ openGId: 'tGroup', watermark });
  });

  test('a check of the session key is signed by the present key, and a reset stores the new one', async () => {
    const { client, user, person, login, steps } = await signedUp();
    expect(await client.key.sign.mutate('{"foo":"bar"}')).toBe(
      userStateSignature('{"foo":"bar"}', person().sessionKey),
    );
    expect(await client.key.check.mutate()).toBe(true);
    const before = person().sessionKey;
    await client.key.reset.mutate();
    expect(person().sessionKey).not.toBe(before);
    expect(await client.key.sign.mutate('x')).toBe(userStateSignature('x', person().sessionKey));
    expect(await client.steps.today.mutate(steps(7))).toEqual({ steps: 7 });

    // A reset whose answer is lost has changed the key.
    const path = '/wxa/resetusersessionkey';
    const resets = () => backend.standin.phone.stats().paths[path]?.requests ?? 0;
    const resetsBefore = resets();
    backend.standin.phone.fault({ path, times: 3, fault: { kind: 'reset' } });
    expect(await failureOf(client.key.reset.mutate())).toMatchObject({ reason: 'WECHAT_TIMEOUT' });
    expect(resets()).toBe(resetsBefore + 1);
    backend.standin.phone.reset({ what: 'faults' });

    backend.standin.phone.rotate({ user });
    expect(await client.key.check.mutate()).toBe(false);
    expect(await failureOf(client.key.reset.mutate())).toMatchObject({ reason: 'SESSION_INVALID' });
    await login();
    expect(await client.key.check.mutate()).toBe(true);
    expect(await backend.store.findUser(person().openid)).not.toMatchObject({ sessionKey: person().sessionKey });
  });

  test('the code of a plugin gives the user’s id in the plugin, once', async () => {
    const { client, user, person } = await signedUp();
    const { code } = backend.standin.phone.pluginLogin({ user });
    expect(await client.key.plugin.mutate(code)).toBe(person().openpid);
    expect(await failureOf(client.key.plugin.mutate(code))).toMatchObject({ reason: 'CODE_INVALID' });
    const { code: ofLogin } = backend.standin.phone.login({ user });
    expect(await failureOf(client.key.plugin.mutate(ofLogin))).toMatchObject({ reason: 'CODE_INVALID' });
  });
});
