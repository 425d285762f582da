import type { Sandbox } from '../native.ts';

/** The mini program's `require`: each module runs once in an app, however many require it. */
export function createModules(
  modules: Record<string, string>,
  sandbox: Sandbox,
  scopeOf: (path: string) => Record<string, unknown>,
): (path: string) => unknown {
  const loaded = new Map<string, { exports: unknown }>();
  return function load(path: string): unknown {
    const known = loaded.get(path);
    if (known) return known.exports;
    const code = modules[path];
    if (code === undefined) throw new Error(`module '${path}.js' is not defined`);
    const module: { exports: unknown } = { exports: {} };
    loaded.set(path, module);
    const require = (request: string) =>
      load(request.startsWith('.') ? resolveModule(path, request) : `miniprogram_npm/${request}/index`);
    sandbox(code, path, { ...scopeOf(path), require, module, exports: module.exports });
    return module.exports;
  };
}

/** The path of the module that `request` names in the module `from`. */
export function resolveModule(from: string, request: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of request.replace(/\.js$/, '').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
