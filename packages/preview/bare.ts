import vm from 'node:vm';
import type { Sandbox } from './native.ts';

/** A realm of its own that has ECMAScript and nothing else: no DOM, no Node, no fetch, no eval. */
export function createBareSandbox(): Sandbox {
  const realm = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(
    'for (const name of ["console", "WebAssembly", "SharedArrayBuffer", "Atomics"]) delete globalThis[name]',
    realm,
  );
  return (code, path, scope) => {
    const names = Object.keys(scope);
    // On a phone `globalThis` may be undefined, so here it is.
    const run = vm.compileFunction(code, [...names, 'globalThis'], {
      parsingContext: realm,
      filename: `miniprogram/${path}.js`,
    });
    run(...Object.values(scope));
  };
}
