import type { Language } from '../../src/cli/language.ts';

/** A person who may hold the phone. */
export interface Holder {
  /** The name that the stand-in knows them by. */
  user: string;
  /** What stands beside the nickname. */
  note: Readonly<Record<Language, string>>;
}

/** Four people whom the stand-in calls by their own names. The first one holds the phone at the start. */
export const people: readonly [Holder, ...Holder[]] = [
  known('ajie'),
  known('lingling'),
  known('laozhou'),
  known('ningmeng'),
];

function known(user: string): Holder {
  return { user, note: { zh: user, en: user } };
}
