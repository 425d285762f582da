/** Somebody who may hold the phone. */
export interface Holder {
  /** The name that the stand-in knows them by. */
  user: string;
  /** What stands beside the nickname. */
  note: string;
}

/** Four people whom the stand-in calls by their own names. The first one holds the phone at the start. */
export const people: readonly [Holder, ...Holder[]] = [
  { user: 'ajie', note: 'ajie' },
  { user: 'lingling', note: 'lingling' },
  { user: 'laozhou', note: 'laozhou' },
  { user: 'ningmeng', note: 'ningmeng' },
];
