import { execFile } from 'node:child_process';
import { mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { runCommand } from '../support/process.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Runs `guoke` with an empty folder as the place of its database. */
async function guoke(...args: string[]) {
  const folder = await mkdtemp(path.join(inject('scratch'), 'command-'));
  const command = runCommand('src/cli/guoke.ts', { DATABASE_URL: `file:${folder}/guoke.db` }, args);
  const { code } = await command.exit;
  return { code, stdout: command.stdout.join('\n'), stderr: command.stderr.join('\n'), made: await readdir(folder) };
}

describe('guoke', () => {
  test.each([...commands.keys()])('%s --help prints its help and does nothing', async (name) => {
    const { code, stdout, stderr, made } = await guoke(name, '--to', 'file:other.db', '--help');
    expect({ code, stderr, made }).toEqual({ code: 0, stderr: '', made: [] });
    expect(stdout).toContain(`Usage: guoke ${name}`);
  });

  test('guoke --help lists every command', async () => {
    const { code, stdout } = await guoke('--help');
    expect(code).toBe(0);
    for (const name of commands.keys()) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  test.each([...commands.keys()])('%s refuses an unknown option, with status 2', async (name) => {
    const { code, stderr, made } = await guoke(name, '--hush=mysql://root:hush@h/db');
    expect({ code, made }).toEqual({ code: 2, made: [] });
    expect(stderr).not.toContain('hush');
  });

  test.each([[[]], [['hush']], [['constructor']], [['']]])(
    'guoke refuses %j, which holds no command, with status 2',
    async (args) => {
      const { code, stderr, made } = await guoke(...args);
      expect({ code, made }).toEqual({ code: 2, made: [] });
      expect(stderr).toContain('Usage: guoke <command>');
      expect(stderr).not.toContain('hush');
    },
  );

  test('guoke says in one sentence that Node is too old', async () => {
    const pretend = "Object.defineProperty(process, 'versions', { value: { node: '18.20.8' } })";
    const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, 'guoke.js', 'start'];
    await expect(promisify(execFile)(process.execPath, args, { cwd: root })).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'guoke needs Node 20.19 or newer; this is 18.20.8.\n',
    });
  });
});

describe('guoke start', () => {
  async function start() {
    const folder = await mkdtemp(path.join(inject('scratch'), 'start-'));
    const env = { WX_APPID: 'wx0123456789abcdef', WX_SECRET: 'x', PORT: '0', DATABASE_URL: `file:${folder}/guoke.db` };
    const command = runCommand('src/cli/guoke.ts', env, ['start']);
    onTestFinished(() => command.kill());
    const { url }: { url: string } = JSON.parse(await command.line(/"msg":"listening"/));
    return { command, url };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('guoke start stops on %s, and exits 0', async (signal) => {
    const { command } = await start();
    command.kill(signal);
    expect(await command.exit).toEqual({ code: 0, signal: null });
    expect(command.stdout.join('\n')).toContain('"msg":"stopped"');
  });

  test('guoke start leaves no server behind when it is killed', async () => {
    const { command, url } = await start();
    command.kill('SIGKILL');
    await expect
      .poll(() =>
        fetch(url).then(
          () => 'serves',
          () => 'gone',
        ),
      )
      .toBe('gone');
  });

  test('guoke start exits 1 where its configuration is missing', async () => {
    const { code, stderr } = await guoke('start');
    expect(code).toBe(1);
    expect(stderr).toContain('WX_APPID is missing');
  });
});
