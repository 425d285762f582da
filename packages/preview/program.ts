import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { TmplGroup } from 'glass-easel-template-compiler';
import { bundle } from '../client/bundle.mts';
import { builtinTags } from './builtins.ts';
import type { Program, WindowStyle } from './native.ts';
import { resolveModule } from './screen/modules.ts';
import { compileWxss } from './wxss.ts';

/** The sample's own root, the `miniprogramRoot` of its project.config.json. */
const sampleRoot = fileURLToPath(new URL('../miniprogram/src', import.meta.url));

/** The backend's origin in the sample's config.ts. */
export const sampleOrigin = 'http://127.0.0.1:8080';

interface WindowJson {
  navigationBarTitleText?: string;
  navigationBarBackgroundColor?: string;
  navigationBarTextStyle?: 'black' | 'white';
}

interface AppJson {
  pages: string[];
  window?: WindowJson;
  __usePrivacyCheck__?: boolean;
}

/** Compiles the mini program at `root`. `packages` gives other code for an npm package. */
export async function compileProgram({
  root = sampleRoot,
  packages = {},
}: { root?: string; packages?: Record<string, string> } = {}): Promise<Program> {
  const read = (name: string) => readFile(path.join(root, name), 'utf8');
  const app = JSON.parse(await read('app.json')) as AppJson;
  const program: Program = {
    pages: app.pages,
    windows: {},
    usesPrivacyCheck: app.__usePrivacyCheck__ ?? false,
    modules: {},
    templates: '{}',
    styles: compileWxss(await read('app.wxss'), null),
  };
  const group = new TmplGroup();
  for (const page of app.pages) {
    program.windows[page] = windowStyle({ ...app.window, ...(JSON.parse(await read(`${page}.json`)) as WindowJson) });
    addTemplate(group, page, await read(`${page}.wxml`));
    program.styles += compileWxss(await read(`${page}.wxss`), page);
  }
  program.templates = group.getTmplGenObjectGroups();
  group.free();
  for (const module of ['app', ...app.pages]) await addModule(module);
  return program;

  /** Compiles a module and whatever it requires; each stands once, so that state is shared as in WeChat. */
  async function addModule(name: string): Promise<void> {
    if (program.modules[name] !== undefined) return;
    const { code } = await transform(await read(`${name}.ts`), { loader: 'ts', format: 'cjs', target: 'es2018' });
    program.modules[name] = code;
    for (const [, request = ''] of code.matchAll(/\brequire\("([^"]+)"\)/g)) {
      if (request.startsWith('.')) await addModule(resolveModule(name, request));
      else program.modules[`miniprogram_npm/${request}/index`] ??= packages[request] ?? (await readPackage(request));
    }
  }
}

/** With WeChat's own defaults. */
function windowStyle({
  navigationBarTitleText: title = '',
  navigationBarBackgroundColor: barColor = '#000000',
  navigationBarTextStyle: textColor = 'white',
}: WindowJson): WindowStyle {
  return { title, barColor, textColor };
}

/** What 构建 npm would copy into miniprogram_npm, built afresh. */
function readPackage(name: string): Promise<string> {
  if (name !== '@guoke/client') throw new Error(`the preview does not know the package ${name}`);
  return bundle();
}

function addTemplate(group: TmplGroup, name: string, source: string): void {
  const renamed = source.replace(/<(\/?)([a-z][\w-]*)/g, (_, slash: string, tag: string) => {
    if (tag === 'block') return `<${slash}${tag}`;
    if (!builtinTags.some((known) => known === tag))
      throw new Error(`${name}.wxml: the preview does not know <${tag}>`);
    // A real <form> or <button> would act on its own beside the component.
    return `<${slash}wx-${tag}`;
  });
  const warnings = group.addTmpl(name, renamed) as Array<{ message: string; startLine: number }>;
  const [first] = warnings;
  if (first) throw new Error(`${name}.wxml:${first.startLine + 1}: ${first.message}`);
}
