import type { inferRouterError, inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type { AppRouter as ServerRouter } from '../../../src/router.ts';

/**
 * Spells the server's router out: the types below are local to the function, so `tsc` cannot name them in the
 * declaration it emits and writes what they come to instead, with no import of the server, of tRPC or of zod.
 */
function spellOut() {
  type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
  type Words<Union extends string> = Union extends string ? { is: Union } : never;
  /** tRPC's own layout of a router, pared down to what a client reads of it. */
  type Procedures<Record, Inputs, Outputs> = {
    [K in keyof Record & keyof Inputs & keyof Outputs]: Record[K] extends { _def: { type: infer Type } }
      ? { _def: { type: Type; $types: { input: Plain<Inputs[K]>; output: Plain<Outputs[K]> } } }
      : Procedures<Record[K], Inputs[K], Outputs[K]>;
  };
  type Refusal = inferRouterError<ServerRouter>['data'];
  type Record = ServerRouter['_def']['record'];
  type Inputs = inferRouterInputs<ServerRouter>;
  type Outputs = inferRouterOutputs<ServerRouter>;

  return {} as {
    router: { _def: { record: Procedures<Record, Inputs, Outputs> } };
    reason: Words<Refusal['reason']>;
    retry: Words<Refusal['retry']>;
  };
}

const server = spellOut();

/** The server's procedures with their inputs and outputs, as they cross the wire. */
export type AppRouter = typeof server.router;

/** Why the server refused a call. */
export type Reason = typeof server.reason.is;

/** What to do about it: call `wx.login` again, try later, or give up. */
export type Retry = typeof server.retry.is;
