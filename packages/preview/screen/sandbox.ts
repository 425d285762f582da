import type { Sandbox } from '../native.ts';

/** What the language itself has; everything else on `window` is the browser's, and a phone has none of it. */
const language = new Set(
  (
    'AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError ' +
    'FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl JSON Map Math NaN Number ' +
    'Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError Uint16Array ' +
    'Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent ' +
    'isFinite isNaN parseFloat parseInt undefined'
  ).split(' '),
);

/** A sandbox for the browser: one realm, so every other global name is shadowed by a parameter without a value. */
export function createShadowSandbox(): Sandbox {
  return (code, path, scope) => {
    const names = Object.keys(scope);
    // `undefined` for every hidden name, `eval` and `globalThis` among them; the inner function is strict, so `this` does not lead out.
    // oxlint-disable-next-line typescript/no-implied-eval -- it is the only way to shadow names without a build of its own.
    const enter = new Function(
      ...globalNames().filter((name) => !language.has(name)),
      `return function (${names.join(', ')}) { 'use strict'; ${code}\n}\n//# sourceURL=miniprogram/${path}.js`,
    ) as () => (...values: unknown[]) => void;
    enter()(...Object.values(scope));
  };
}

function globalNames(): string[] {
  const names = new Set<string>();
  for (let at: object | null = window; at; at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) if (/^[A-Za-z_$][\w$]*$/.test(name)) names.add(name);
  }
  return [...names];
}
