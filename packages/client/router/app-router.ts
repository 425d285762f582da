import type { AnyTRPCRouter, inferRouterError, inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import type { AppRouter as ServerRouter } from '../../../src/router.ts';

/**
 * Spells the server's router out: the types below are local to the function, so `tsc` cannot name them in the
 * declaration it emits and writes what they come to instead, with no import of the server, of tRPC or of zod.
 */
function spellOut() {
  // A union or a property that its own file has named is written as an import of that file. `is` and Fields take the
  // names off: a union put together anew has none, and a property of a key that is not `keyof T` forgets where it is from.
  type Plain<T> = Boxed<T>['is'];
  type Boxed<T> = T extends readonly unknown[]
    ? { is: { [K in keyof T]: Plain<T[K]> } }
    : T extends object
      ? { is: Flat<Fields<T, Optional<T>>> }
      : { is: T };
  type Optional<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
  type Fields<T, Opt extends keyof T> = { [K in Exclude<keyof T, Opt>]: Plain<T[K]> } & {
    [K in Exclude<Opt, never>]?: Plain<T[K]>;
  };
  type Flat<T> = { [K in keyof T]: T[K] };

  /** A procedure in tRPC's own layout. What only the server reads is there by name, so that tRPC's types accept it. */
  type Procedure<Type, Input, Output> = {
    (options: unknown): Promise<unknown>;
    meta: unknown;
    _def: {
      procedure: true;
      type: Type;
      $types: { input: Plain<Input>; output: Plain<Output>; errorShape: unknown };
      meta: unknown;
      experimental_caller: boolean;
      inputs: never[];
    };
  };
  type Procedures<Record, Inputs, Outputs> = {
    [K in keyof Record & keyof Inputs & keyof Outputs]: Record[K] extends { _def: { type: infer Type } }
      ? Procedure<Type, Inputs[K], Outputs[K]>
      : Procedures<Record[K], Inputs[K], Outputs[K]>;
  };

  type ServerOnly<T, Read extends keyof T> = { [K in Exclude<keyof T, Read>]: never };
  type Config = ServerRouter['_def']['_config'];
  type Refusal = Plain<inferRouterError<ServerRouter>['data']>;
  type Types = {
    ctx: object;
    meta: object;
    errorShape: { message: string; code: number; data: Refusal };
    transformer: Config['$types']['transformer'];
  };
  type Router = ServerOnly<AnyTRPCRouter, '_def'> & {
    _def: ServerOnly<AnyTRPCRouter['_def'], '_config' | 'record'> & {
      record: Procedures<
        ServerRouter['_def']['record'],
        inferRouterInputs<ServerRouter>,
        inferRouterOutputs<ServerRouter>
      >;
      _config: ServerOnly<Config, '$types'> & { $types: Types };
    };
  };

  return {} as { router: Router; reason: Refusal['reason']; retry: Refusal['retry'] };
}

const server = spellOut();

/** The server's procedures with their inputs and outputs, as they cross the wire. */
export type AppRouter = typeof server.router;

/** Why the server refused a call. */
export type Reason = typeof server.reason;

/** What to do about it: call `wx.login` again, try later, or give up. */
export type Retry = typeof server.retry;
