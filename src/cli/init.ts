import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UsageError } from './command.ts';
import { chooseLanguage, type Language } from './language.ts';

/** The example of docs/extending.md; it stands beside src/ and dist/ alike. */
const template = fileURLToPath(new URL('../../examples/notes', import.meta.url));
const ignored = 'node_modules\ndist\n.data\n*.db*\n';

// The code is the same in both languages, comments included: documents quote it and tests run it, and two copies would part.
const otherReadme = { en: /\bREADME\.zh-CN\.md$/, zh: /\bREADME\.md$/ } satisfies Record<Language, RegExp>;

const texts = {
  en: {
    noFolder: 'Say where to: guoke init <folder>',
    notEmpty: 'The folder is not empty: nothing is written.',
    written: (folder: string) =>
      `${folder} is written. Start it:\n  cd ${folder} && npm install && npm run dev\nREADME.md there says more.\n`,
  },
  zh: {
    noFolder: '请写明目录：guoke init <folder>',
    notEmpty: '目录不是空的，什么都没有写。',
    written: (folder: string) =>
      `项目已写入 ${folder}。启动：\n  cd ${folder} && npm install && npm run dev\n下载慢时，先换用国内镜像：npm config set registry https://registry.npmmirror.com\n其余见目录里的 README.md。\n`,
  },
};

/** `guoke init <folder>`: writes a small project with procedures of its own into an empty folder. */
export async function run(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({ args, options: { lang: { type: 'string' } }, allowPositionals: true });
  const language = chooseLanguage(values.lang);
  const [folder, ...rest] = positionals;
  if (!folder || rest.length > 0) throw new UsageError(texts[language].noFolder);
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new UsageError(texts[language].notEmpty);
  await cp(template, folder, { recursive: true, filter: (source) => !otherReadme[language].test(source) });
  if (language === 'zh') await rename(path.join(folder, 'README.zh-CN.md'), path.join(folder, 'README.md'));
  const name = nameOf(folder);
  await edit(path.join(folder, 'package.json'), '"name": "notes"', `"name": ${JSON.stringify(name)}`);
  await edit(path.join(folder, 'README.md'), '# notes', `# ${name}`);
  await writeFile(path.join(folder, '.gitignore'), ignored);
  process.stdout.write(texts[language].written(folder));
}

async function edit(file: string, old: string, replacement: string): Promise<void> {
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace(old, () => replacement),
  );
}

/** A package's name may hold small letters, digits and a few signs. */
function nameOf(folder: string): string {
  const name = path.basename(path.resolve(folder)).toLowerCase();
  return name.replaceAll(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+/, '') || 'my-server';
}
