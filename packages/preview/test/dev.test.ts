import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('NOT TESTED: the curl lines of npm run dev. There is no curl here.');

/** Only what a command is to have: nothing of this machine's own configuration. */
const environment = (more: Record<string, string> = {}) => ({ PATH: process.env.PATH ?? '', NO_COLOR: '1', ...more });

describe('npm run dev', () => {
  test('needs no configuration, tells the story of a first login, prints lines that work when pasted, and ends on Ctrl-C', async () => {
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
      expect(output).toMatch(/The user: 小明/);
      expect(output).toMatch(/sessionKey +v1\.file\.\S+… \(sealed with AES-256-GCM\)/);

      const page = /in your browser +(\S+)/.exec(output)?.[1] ?? '';
      expect(await (await fetch(page)).text()).toContain('果壳');

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
});
