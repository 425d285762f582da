import { type TRPCDataTransformer, TRPCError } from '@trpc/server';

interface CallInputs {
  /** The input of one call. Rejects with BAD_REQUEST for a text that is not JSON, or not an object in a batch. */
  read(index: number): Promise<unknown>;
  /** The input if it has been read already, else undefined. */
  known(index: number): unknown;
}

interface CallInputsOptions {
  /** The text that holds the inputs of all calls; empty or null where there are none. */
  readText: () => Promise<string | null>;
  isBatch: boolean;
  count: number;
  transformer: TRPCDataTransformer;
}

/** The inputs of the calls of one request: read once, and only when a procedure asks for its own. */
export function createCallInputs({ readText, isBatch, count, transformer }: CallInputsOptions): CallInputs {
  let reading: Promise<readonly unknown[]> | undefined;
  let values: readonly unknown[] = [];

  async function readAll(): Promise<readonly unknown[]> {
    try {
      const text = await readText();
      if (text) values = split(JSON.parse(text));
      return values;
    } catch (cause) {
      if (cause instanceof TRPCError) throw cause;
      throw new TRPCError({
        code: 'BAD_REQUEST',
        message: cause instanceof Error ? cause.message : 'Invalid input',
        cause,
      });
    }
  }

  function split(inputs: unknown): unknown[] {
    if (!isBatch) return [transformer.deserialize(inputs)];
    if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
      throw new TRPCError({ code: 'BAD_REQUEST', message: '"input" needs to be an object when doing a batch call' });
    }
    const given = inputs as Readonly<Record<string, unknown>>;
    return Array.from({ length: count }, (_, index) => {
      const input = given[index];
      return input === undefined ? undefined : transformer.deserialize(input);
    });
  }

  return {
    read: async (index) => (await (reading ??= readAll()))[index],
    known: (index) => values[index],
  };
}
