import type { Random } from './random.ts';

/** In no answer that is an error may this stand: it is part of what was sent. */
export const canary = 'CaNaRy7Zq';

const strings: readonly string[] = [
  '',
  ' ',
  canary,
  `${canary}\u0000`,
  '\u0000',
  '\uD83D',
  '\uDE00\uD83D',
  '👨‍👩‍👧‍👦',
  '\u202Eabc',
  '\uFEFF',
  'ﷺ'.repeat(50),
  '果'.repeat(3000),
  'x'.repeat(70_000),
  '../../../../etc/passwd',
  "' OR 1=1 --",
  '"; drop table users; --',
  '${7*7}{{7*7}}',
  '<script>alert(1)</script>',
  '%00%0d%0aset-cookie: a=b',
  '__proto__',
  'constructor',
  'AAAAAAAAAAAAAAAAAAAAAA==',
  '-1',
  '1e309',
  'true',
  'null',
];

const names = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  '',
  '0',
  'json',
  'length',
  canary,
];

/** An unexpected value of JSON. */
export function oddValue(random: Random, depth = 0): unknown {
  switch (random.below(depth > 2 ? 5 : 9)) {
    case 0:
      return random.pick(strings);
    case 1:
      return random.pick([0, -0, -1, 1.5, 1e308, -1e-308, 2 ** 53, 2 ** 63, Number.MAX_SAFE_INTEGER]);
    case 2:
      return random.pick([null, true, false]);
    case 3:
      return random.bytes(random.below(40)).toString('base64');
    case 4:
      return random.bytes(random.below(40)).toString('latin1');
    case 5:
      return Array.from({ length: random.below(4) }, () => oddValue(random, depth + 1));
    case 6:
      return Array.from({ length: random.below(2000) }, () => 0);
    case 7:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [random.pick(names), oddValue(random, depth + 1)]),
      );
    default:
      return nested(random.below(200));
  }
}

export function oddString(random: Random): string {
  return random.pick(strings);
}

export function oddName(random: Random): string {
  return random.pick(names);
}

function nested(depth: number): unknown {
  let value: unknown = canary;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}
