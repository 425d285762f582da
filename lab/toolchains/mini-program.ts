import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

type Methods = Record<string, unknown>;

/** What a page or a component is registered with. */
interface Definition extends Methods {
  data?: object;
  methods?: Methods;
  lifetimes?: Methods;
}

/** Names that WeChat hides from a mini program's modules, besides those that a bare realm lacks anyway. */
const hidden = ['globalThis', 'window', 'self', 'document', 'navigator', 'location', 'fetch', 'process'];

/**
 * Opens a mini program as a toolchain has built it: its app, then one page, in a bare realm that has ECMAScript, timers,
 * `wx`, and what WeChat's own JavaScript side has: App, Page, Component, require.
 */
export function openMiniProgram(directory: string, page: string, wx: object) {
  const realm = vm.createContext(Object.create(null) as object);
  const modules = new Map<string, { exports: unknown }>();
  const shown: string[] = [];
  let app: Methods = {};
  let definition: Definition = {};

  const names = {
    wx,
    // WeChat gives its modules this name, with nothing of the language in it.
    global: {},
    App: (methods: Methods) => void (app = Object.assign(methods, { globalData: {} })),
    Page: (given: Definition) => void (definition = given),
    Component: (given: Definition) => void (definition = given),
    Behavior: (given: Definition) => given,
    getApp: () => app,
    getCurrentPages: () => pages,
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    console,
  };
  const pages: unknown[] = [];

  function load(name: string): unknown {
    const known = modules.get(name);
    if (known) return known.exports;
    const module = { exports: {} as unknown };
    modules.set(name, module);
    const text = readFileSync(path.join(directory, `${name}.js`), 'utf8');
    const parameters = ['require', 'module', 'exports', ...Object.keys(names), ...hidden];
    const run = vm.compileFunction(text, parameters, { parsingContext: realm, filename: name }) as (
      ...args: unknown[]
    ) => void;
    const require = (request: string) => load(resolve(name, request));
    run(require, module, module.exports, ...Object.values(names));
    return module.exports;
  }

  /** Modules of npm stand under miniprogram_npm, each in a directory of its own. */
  function resolve(from: string, request: string): string {
    const name = request.replace(/\.js$/, '');
    return /^\.\.?\//.test(name)
      ? path.posix.join(path.posix.dirname(from), name)
      : path.posix.join('miniprogram_npm', name, 'index');
  }

  const call = (owner: Methods, name: string, self: unknown, ...args: unknown[]) => {
    const method = owner[name];
    if (typeof method === 'function') method.apply(self, args);
  };

  load('app');
  call(app, 'onLaunch', app, { path: page, query: {}, scene: 1001 });
  call(app, 'onShow', app, { path: page, query: {}, scene: 1001 });
  load(page);
  const { data, methods, lifetimes = {} } = definition;
  const instance: Methods = {
    ...definition,
    ...methods,
    data: { ...data },
    is: page,
    route: page,
    properties: {},
    setData(patch: object, done?: () => void) {
      shown.push(JSON.stringify(patch));
      Object.assign(instance['data'] as object, patch);
      if (done) setTimeout(done);
    },
    selectComponent: () => null,
    selectAllComponents: () => [],
    triggerEvent: () => undefined,
  };
  pages.push(instance);
  for (const name of ['created', 'attached', 'ready']) call({ ...definition, ...lifetimes }, name, instance);
  for (const name of ['onLoad', 'onShow', 'onReady']) call(instance, name, instance, {});

  return {
    /** Every patch of the page's data so far. */
    shown,
    instance,
  };
}
