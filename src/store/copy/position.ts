import type { Value } from './tables.ts';

/** A primary key as text that both kinds of database keep exactly. */
export function toPosition(key: Value): string {
  return Buffer.isBuffer(key) ? `bytes ${key.toString('hex')}` : `text ${String(key)}`;
}

export function fromPosition(position: string): string | Buffer {
  const [, kind, key = ''] = /^(bytes|text) (.*)$/.exec(position) ?? [];
  return kind === 'bytes' ? Buffer.from(key, 'hex') : key;
}
