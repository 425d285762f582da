import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { chooseLanguage } from '../../src/cli/language.ts';
import { runCommand } from '../support/process.ts';

const template = path.resolve(import.meta.dirname, '../../examples/notes');

/** Runs `guoke init` in an empty folder with this environment. */
async function init(args: string[], env: Record<string, string> = {}) {
  const parent = await mkdtemp(path.join(inject('scratch'), 'init-'));
  const folder = path.join(parent, 'My_Notes!');
  const command = runCommand('src/cli/guoke.ts', env, ['init', folder, ...args]);
  const { code } = await command.exit;
  const read = (name: string) => readFile(path.join(folder, name), 'utf8');
  return { parent, folder, code, read, stdout: command.stdout.join('\n'), stderr: command.stderr.join('\n') };
}

describe('guoke init', () => {
  test.each([
    ['en', [], {}, /^A server for a WeChat mini program/m, /is written\. Start it:/],
    ['en', ['--lang', 'en'], { LANG: 'zh_CN.UTF-8' }, /^A server for a WeChat mini program/m, /is written\. Start it:/],
    ['zh', [], { LANG: 'zh_CN.UTF-8' }, /^一个微信小程序的服务器/m, /项目已写入.*启动：/],
    ['zh', ['--lang=zh'], { LC_ALL: 'C' }, /^一个微信小程序的服务器/m, /项目已写入.*启动：/],
  ] as const)('the project is written in %s with %j and %j', async (_, args, env, readme, told) => {
    const { code, folder, read, stdout, stderr } = await init([...args], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(told);
    expect(stdout).toContain(`cd ${folder} && npm install && npm run dev`);
    expect(await read('README.md')).toMatch(readme);
    expect(await read('README.md')).toMatch(/^# my_notes-\n/);
    expect(JSON.parse(await read('package.json'))).toMatchObject({ name: 'my_notes-' });

    const expected = (await readdir(template, { recursive: true })).filter((name) => name !== 'README.zh-CN.md');
    expect((await readdir(folder, { recursive: true })).toSorted()).toEqual([...expected, '.gitignore'].toSorted());
    for (const name of expected.filter((name) => name.endsWith('.ts')))
      expect(await read(name)).toBe(await readFile(path.join(template, name), 'utf8'));
  });

  test('an unknown language is refused with 2, and nothing is written', async () => {
    const { parent, code, stdout, stderr } = await init(['--lang', 'fr']);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: '--lang is zh or en.' });
    expect(await readdir(parent)).toEqual([]);
  });

  test('a folder that is not empty is refused with 2, in the language of the user', async () => {
    const folder = await mkdtemp(path.join(inject('scratch'), 'init-'));
    await mkdir(path.join(folder, 'own'));
    await writeFile(path.join(folder, 'own/file'), '');
    const command = runCommand('src/cli/guoke.ts', { LANG: 'zh_CN.UTF-8' }, ['init', folder]);
    expect(await command.exit).toMatchObject({ code: 2 });
    expect(command.stderr).toEqual(['目录不是空的，什么都没有写。']);
    expect(await readdir(folder)).toEqual(['own']);
  });

  test('the help names --lang', async () => {
    const command = runCommand('src/cli/guoke.ts', {}, ['init', '--help']);
    await command.exit;
    expect(command.stdout.join('\n')).toMatch(/^ {2}--lang <zh\|en> +the language/m);
  });

  test('both READMEs of the template hold the same commands and the same files', async () => {
    const [english, chinese] = await Promise.all(
      ['README.md', 'README.zh-CN.md'].map((name) => readFile(path.join(template, name), 'utf8')),
    );
    const commandsOf = (text = '') =>
      [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) =>
        block.replaceAll(/ *#.*/g, '').replaceAll(/"text":"[^"]+"/g, ''),
      );
    const filesOf = (text = '') => [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, file]) => file);
    expect(commandsOf(english)).toHaveLength(2);
    expect(commandsOf(chinese)).toEqual(commandsOf(english));
    expect(filesOf(chinese)).toEqual(filesOf(english));
    const inTemplate = await readdir(template, { recursive: true });
    expect(inTemplate).toEqual(expect.arrayContaining(filesOf(english)));
  });
});

describe('the language of a command', () => {
  test.each([
    [{}, 'en'],
    [{ LANG: 'zh_CN.UTF-8' }, 'zh'],
    [{ LANG: 'zh' }, 'zh'],
    [{ LANG: 'zh-Hans' }, 'zh'],
    [{ LANG: 'zha_CN' }, 'en'],
    [{ LANG: 'C.UTF-8' }, 'en'],
    [{ LANG: 'en_US.UTF-8', LC_MESSAGES: 'zh_TW' }, 'zh'],
    [{ LANG: 'zh_CN.UTF-8', LC_MESSAGES: 'en_US.UTF-8' }, 'en'],
    [{ LANG: 'zh_CN.UTF-8', LC_MESSAGES: 'zh_CN', LC_ALL: 'C' }, 'en'],
    [{ LANG: 'zh_CN.UTF-8', LC_ALL: '' }, 'zh'],
  ] as const)('%j is %s', (env, language) => {
    expect(chooseLanguage(undefined, env, 'en-US')).toBe(language);
  });

  test('the system decides where no variable is set, as on Windows', () => {
    expect(chooseLanguage(undefined, {}, 'zh-CN')).toBe('zh');
    expect(chooseLanguage(undefined, { LANG: 'en_US.UTF-8' }, 'zh-CN')).toBe('en');
  });
});
