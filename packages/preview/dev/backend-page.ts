import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import { appRouter } from '../../../src/router.ts';
import type { Texts } from './english.ts';

const router: AnyTRPCRouter = appRouter;

/** What the backend's address says in development; in production nothing is there. */
export function backendPage({ page: texts }: Texts): string {
  const procedures = Object.entries<AnyTRPCProcedure>(router._def.procedures).map(
    ([name, { _def }]) => `  ${_def.type === 'query' ? 'GET ' : 'POST'} /trpc/${name}`,
  );
  return `${texts.title}

${texts.procedures}
${procedures.join('\n')}

${texts.health}
  GET  /healthz   ${texts.alive}
  GET  /readyz    ${texts.ready}

${texts.more}
`;
}
