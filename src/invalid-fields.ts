import { z } from 'zod';

/** A step of a path: a key, or an object with it. */
const step = z.union([z.string(), z.number(), z.object({ key: z.union([z.string(), z.number()]) })]);

/** What the errors of zod (3, 4, mini) and valibot have in common; see standardschema.dev. */
const invalid = z.object({ issues: z.array(z.object({ path: z.array(step).optional() })) });

/**
 * The paths of the fields that a validator's error names, each once; `input` is the input as a whole. Empty where
 * the error is not a validator's.
 */
export function invalidFields(error: unknown): string[] {
  const { data } = invalid.safeParse(error);
  const paths = data?.issues.map(({ path = [] }) => path.map((at) => (typeof at === 'object' ? at.key : at)).join('.'));
  return [...new Set(paths?.map((path) => path || 'input'))];
}
