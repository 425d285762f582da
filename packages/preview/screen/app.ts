import * as glassEasel from 'glass-easel';
import { MiniProgramEnv, type CodeSpace } from 'glass-easel-miniprogram-adapter';
import type { Drawer, Native, Program, Sandbox } from '../native.ts';
import { registerBuiltins } from './components.ts';
import { createDialogs } from './dialogs.ts';
import { createFiles } from './files.ts';
import { createModules } from './modules.ts';
import { createPages } from './pages.ts';
import { createPrivacy } from './privacy.ts';
import { createTapGate } from './tap.ts';
import { createWx } from './wx.ts';

/** What it takes to launch a mini program. */
export interface Launch {
  program: Program;
  native: Native;
  drawer: Drawer;
  sandbox: Sandbox;
  /** Uncaught errors of the mini program's own code. */
  onError: (error: unknown) => void;
}

/** Launches a mini program in this window, the way WeChat does: all code first, then `onLaunch`, then the first page. */
export function launchApp({ program, native, drawer, sandbox, onError }: Launch): void {
  const style = document.createElement('style');
  style.textContent = program.styles;
  document.head.append(style);
  glassEasel.addGlobalErrorListener((error) => {
    onError(error);
    return false;
  });

  const env = new MiniProgramEnv();
  const space = env.createCodeSpace('', true);
  const backend = new glassEasel.CurrentWindowBackendContext();
  const tap = createTapGate(backend);
  const dialogs = createDialogs();
  const privacy = createPrivacy({ drawer, dialogs, enabled: program.usesPrivacyCheck });
  const files = createFiles();
  registerBuiltins({ space: space.getComponentSpace(), native, dialogs, privacy, files });
  addTemplates(space, program);

  const pages = createPages({
    program,
    space,
    backend: env.associateBackend(backend),
    onShow: (style, canGoBack) => dialogs.showBar(style, canGoBack),
  });
  dialogs.onBack(() => pages.back(1));
  const wx = createWx({ native, drawer, dialogs, privacy, pages, tap, files });
  let app: Record<string, unknown> = {};
  const requireModule = createModules(program.modules, sandbox, (path) => ({
    wx,
    App: (options: Record<string, unknown>) => (app = options),
    // The path of a page is the path of the module that calls Page().
    Page: (definition: Record<string, unknown>) => space.component(path).pageDefinition(definition).register(),
    getApp: () => app,
    getCurrentPages: () => pages.current(),
    console,
    setTimeout: window.setTimeout.bind(window),
    clearTimeout: window.clearTimeout.bind(window),
    setInterval: window.setInterval.bind(window),
    clearInterval: window.clearInterval.bind(window),
  }));
  for (const module of ['app', ...program.pages]) requireModule(module);

  const first = program.pages[0] ?? '';
  const options = { path: first, query: {}, scene: 1001 };
  for (const hook of ['onLaunch', 'onShow']) {
    const run = app[hook];
    if (typeof run === 'function') run.call(app, options);
  }
  pages.open(first);
}

function addTemplates(space: CodeSpace, program: Program): void {
  // oxlint-disable-next-line typescript/no-implied-eval -- the compiler's own output, which is JavaScript text.
  const templates = new Function(`return ${program.templates}`)() as glassEasel.template.ProcGenGroupList;
  for (const page of program.pages) {
    const content = templates[page];
    // Without the fallback `bindtap` on a view, a native node here, would be an attribute and nothing else.
    if (content) space.addCompiledTemplate(page, { groupList: templates, content, fallbackListenerOnNativeNode: true });
    space.addComponentStaticConfig(page, {});
  }
}
