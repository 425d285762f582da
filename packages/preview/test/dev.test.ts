import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('NOT TESTED: the curl lines of npm run dev. There is no curl here.');

/** Only what a command is to have: nothing of this machine's own configuration. */
const environment = (more: Record<string, string> = {}) => ({ PATH: process.env.PATH ?? '', NO_COLOR: '1', ...more });

describe('npm run dev', () => {
  test('npm run dev needs no configuration, tells the story of a first login, prints lines that work when pasted, and ends on Ctrl-C', async () => {
    const database = `${inject('scratch')}/${crypto.randomUUID()}/dev.db`;
    const dev = spawn('npx', ['tsx', 'packages/preview/dev.ts'], {
      cwd: root,
      env: environment({ HOME: process.env.HOME ?? '', DATABASE_URL: `file:${database}`, PORT: '0' }),
      detached: true,
    });
    let output = '';
    dev.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      for await (const chunk of dev.stdout) {
        output += String(chunk);
        if (output.includes('Ctrl-C')) break;
      }
      expect(output).toContain('hasProfile: false');
      expect(output.replaceAll(/小明|中国|广东|广州/g, '')).not.toMatch(/\p{Script=Han}/u);
      expect(output).toMatch(/The user: 小明/);
      expect(output).toMatch(/sessionKey +v1\.file\.\S+… \(sealed with AES-256-GCM\)/);

      const page = /in your browser +(\S+)/.exec(output)?.[1] ?? '';
      const pageText = await (await fetch(page)).text();
      expect(pageText).toContain('果壳');
      expect(pageText).toContain('<html lang="en">');

      const backend = /The backend +(http\S+)/.exec(output)?.[1] ?? '';
      expect(await (await fetch(backend)).text()).toContain('POST /trpc/auth.login');

      const lines = output.split('\n').filter((line) => line.startsWith('  curl '));
      expect(lines).toHaveLength(4);
      const expected = [
        /"hasProfile":false/,
        /"nickName":"[^"]+"/,
        /^\[\{"result".*\},\{"result"/,
        /"PROFILE_REJECTED"/,
      ];
      for (const [index, line] of hasCurl ? lines.entries() : []) {
        expect((await run('bash', ['-c', line])).stdout).toMatch(expected[index] ?? /never/);
      }
    } finally {
      const ended = once(dev, 'exit');
      process.kill(-(dev.pid ?? 0), 'SIGINT');
      await ended;
    }
  });

  test.each([
    ['LANG', [], { LANG: 'zh_CN.UTF-8' }],
    ['--lang', ['--lang', 'zh'], { LANG: 'C.UTF-8' }],
  ])(
    'npm run dev speaks Chinese by %s: in the terminal, at the addresses, and around the phone',
    async (_, args, env) => {
      const database = `file:${inject('scratch')}/${crypto.randomUUID()}/dev.db`;
      const dev = spawn('npx', ['tsx', 'packages/preview/dev.ts', ...args], {
        cwd: root,
        env: environment({ HOME: process.env.HOME ?? '', DATABASE_URL: database, PORT: '0', ...env }),
        detached: true,
      });
      const ended = once(dev, 'exit');
      let output = '';
      try {
        for await (const chunk of dev.stdout) {
          output += String(chunk);
          if (output.includes('Ctrl-C')) break;
        }
        expect(output).toContain('hasProfile: false. 后端还不认识这个用户。');
        expect(output).toMatch(/用户：小明，.*有效期 7 天。/);
        expect(output).toMatch(/sessionKey +v1\.file\.\S+… （AES-256-GCM 密文）/);
        expect(output).not.toMatch(/\b(?:the|The|A) \w+/);
        expect(output.split('\n').filter((line) => line.startsWith('  curl '))).toHaveLength(4);

        const at = async (name: string) => {
          const url = new RegExp(`${name} +(http\\S+)`).exec(output)?.[1] ?? '';
          return await (await fetch(url)).text();
        };
        expect(await at('浏览器里的小程序')).toContain('<html lang="zh">');
        expect(await at('后端')).toMatch(/微信小程序的登录后端[^]*POST \/trpc\/auth\.login[^]*进程活着/);
        expect(await at('模拟微信服务')).toMatch(/供开发和测试用[^]*\/sns\/jscode2session/);
      } finally {
        process.kill(-(dev.pid ?? 0), 'SIGINT');
        await ended;
      }
    },
  );

  test('npm run dev refuses an unknown language with 2', async () => {
    const dev = run('npx', ['tsx', 'packages/preview/dev.ts', '--lang', 'fr'], { cwd: root, env: environment() });
    await expect(dev).rejects.toMatchObject({ code: 2, stdout: '', stderr: 'npm run dev -- --lang zh|en\n' });
  });

  test('npm run dev starts again when a file changes, and says so in a line instead of the story', async () => {
    const folder = await mkdtemp(path.join(inject('scratch'), 'dev-'));
    const changing = path.join(folder, 'changing.txt');
    await writeFile(changing, '1');
    const database = `file:${folder}/dev.db`;
    const args = ['tsx', 'watch', '--clear-screen=false', `--include=${changing}`, 'packages/preview/dev.ts'];
    const dev = spawn('npx', args, {
      cwd: root,
      env: environment({ HOME: process.env.HOME ?? '', TMPDIR: folder, DATABASE_URL: database, PORT: '0' }),
      detached: true,
    });
    let output = '';
    for (const stream of [dev.stdout, dev.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(dev, 'exit');
    try {
      await expect.poll(() => output, { timeout: 50_000 }).toContain('Ctrl-C');
      const told = output.length;
      await writeFile(changing, '2');
      await expect.poll(() => output.slice(told), { timeout: 50_000 }).toContain('Started again');
      expect(output.slice(told)).not.toContain('A first login');
    } finally {
      process.kill(-(dev.pid ?? 0), 'SIGINT');
      await ended;
    }
  }, 120_000);
});
