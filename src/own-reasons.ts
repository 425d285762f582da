import { type Outcome, outcomes, type OwnReason, type Reason } from './errors.ts';

/** A reason is a label of the metrics and a word in the log. */
const namePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/**
 * Reasons of an owner's own, by name, with what the caller is told. Throws at once for a name that guoke has already, or
 * that is not in capitals: `reason` means one thing on every server.
 */
export function defineReasons<const Table extends Record<string, Outcome>>(
  table: Table & { [Name in keyof Table & (Reason | 'OK')]: never },
): { readonly [Name in keyof Table & string]: OwnReason<Name> } {
  const reasons = Object.entries<Outcome>(table).map(([name, outcome]) => {
    if (Object.hasOwn(outcomes, name) || name === 'OK')
      throw new Error(`${name} is a reason of guoke's: choose another name`);
    if (!namePattern.test(name)) throw new Error(`${name} is not a valid reason: use capitals, digits and _`);
    return [name, { ...outcome, name }];
  });
  // fromEntries forgets the names.
  return Object.fromEntries(reasons) as { readonly [Name in keyof Table & string]: OwnReason<Name> };
}
