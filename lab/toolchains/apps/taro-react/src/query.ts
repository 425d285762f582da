import type { AppRouter } from '@guoke/client';
import { QueryClient } from '@tanstack/react-query';
import type { TRPCClient } from '@trpc/client';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { api } from './guoke';

// The client repeats by itself what a new login mends, and a phone is not a browser that regains focus.
export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false }, mutations: { retry: false } },
});

// `api` is a client of tRPC's, whose own name for its type is not in the mini program.
export const trpc = createTRPCOptionsProxy<AppRouter>({ client: api as unknown as TRPCClient<AppRouter>, queryClient });
