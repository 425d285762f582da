import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import { appRouter } from '../../../src/router.ts';

const router: AnyTRPCRouter = appRouter;

/** What the backend's address says in development; in production nothing is there. */
export function backendPage(): string {
  const procedures = Object.entries<AnyTRPCProcedure>(router._def.procedures).map(
    ([name, { _def }]) => `  ${_def.type === 'query' ? 'GET ' : 'POST'} /trpc/${name}`,
  );
  return `guoke, the login backend of a WeChat mini program, in development.

Procedures (docs/openapi.json describes them, docs/client.md says how a mini program calls them):
${procedures.join('\n')}

Health:
  GET  /healthz   the process lives
  GET  /readyz    the database answers and the tables are there

Procedures of your own: docs/extending.md. Production: docs/deployment.md.
`;
}
