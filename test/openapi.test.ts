import { describe, expect, onTestFinished, test } from 'vitest';
import { openApiDocument } from '../src/openapi.ts';
import { appRouter } from '../src/router.ts';
import { publicProcedure, router, signedInProcedure } from '../src/trpc.ts';
import packageJson from '../package.json' with { type: 'json' };
import { startBackend } from './support/backend.ts';

const document = openApiDocument(appRouter, { title: 'guoke', version: packageJson.version });

describe('docs/openapi.json', () => {
  test('the document is what the procedures declare; `npx vitest run test/openapi.test.ts -u` writes it anew', async () => {
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../docs/openapi.json');
  });

  test('the document names each call by the method that it takes, and says which calls need a token', async () => {
    const backend = await startBackend();
    onTestFinished(() => backend.close());
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const body = method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
        const answer = await fetch(backend.url + path, { method: method.toUpperCase(), ...body });
        const { error } = (await answer.json()) as { error: { data: { reason: string } } };
        expect([path, error.data.reason]).toEqual([path, operation.security ? 'SESSION_INVALID' : 'INPUT_INVALID']);
      }
    }
  });

  test('a document can be made of an owner’s router', () => {
    const own = router({ a: publicProcedure.query(() => 1), b: router({ c: signedInProcedure.mutation(() => 2) }) });
    const { paths } = openApiDocument(own, { title: 'own', version: '1' });
    expect(Object.keys(paths)).toEqual(['/trpc/a', '/trpc/b.c']);
    expect(paths['/trpc/b.c']).toMatchObject({ post: { security: [{ token: [] }] } });
  });
});
