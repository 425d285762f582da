import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, inject, it } from 'vitest';

const client = path.resolve(import.meta.dirname, '..');
const root = path.resolve(client, '../..');
const bin = (name: string) => path.join(root, 'node_modules', name);
const run = promisify(execFile);
const node = (args: string[], cwd: string) => run(process.execPath, args, { cwd });

/** What `npm pack` makes of a fresh build. */
let tarball = '';
/** Another project's program that has the package installed. */
let program = '';

beforeAll(async () => {
  const directory = await mkdtemp(path.join(inject('scratch'), 'client-package-'));
  const source = path.join(directory, 'source');
  for (const name of ['package.json', 'router']) {
    await cp(path.join(client, name), path.join(source, name), { recursive: true });
  }
  await node([bin('tsx/dist/cli.mjs'), path.join(client, 'build.mts'), source], root);
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: source });
  tarball = path.join(source, stdout.trim());
  program = path.join(directory, 'program');
  const installed = path.join(program, 'node_modules/@guoke/client');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
}, 120_000);

it('the package passes publint and are-the-types-wrong, for every kind of import', async () => {
  const { stdout } = await node([bin('publint/src/cli.js'), '--strict', tarball], root);
  expect(stdout).toContain('All good!');
  await node([bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--no-emoji', '--no-color'], root);
});

it('the package holds the client, its types and the command, and no source beside the command’s template', async () => {
  const { stdout } = await run('tar', ['-tzf', tarball]);
  const files = stdout.trim().split('\n').toSorted();
  expect(files.filter((name) => !name.startsWith('package/types/'))).toEqual([
    'package/dist/index.mjs',
    'package/dist/router-types.mjs',
    'package/miniprogram_dist/index.js',
    'package/package.json',
    'package/router/app-router.ts',
  ]);
});

const use = `const client = createClient({ baseUrl: 'https://example.com', wx: { getStorageSync: () => '' } });
console.log(client.session.peek(), failureOf(null).kind);
`;

it.each([
  ['require', 'a.cjs', `const { createClient, failureOf } = require('@guoke/client');\n${use}`],
  ['import', 'a.mjs', `import { createClient, failureOf } from '@guoke/client';\n${use}`],
  [
    'require of its package.json',
    'b.cjs',
    `console.log(undefined, require('@guoke/client/package.json').name === '@guoke/client' && 'unexpected');`,
  ],
])('the package is loaded in Node by %s', async (_, file, code) => {
  await writeFile(path.join(program, file), code);
  expect((await node([file], program)).stdout).toBe('undefined unexpected\n');
});

it.each([
  ['node16 in a CommonJS package', 'commonjs', 'node16', 'node16'],
  ['node16 in a package of modules', 'module', 'node16', 'node16'],
  ['a bundler', 'commonjs', 'esnext', 'bundler'],
])('the package compiles in TypeScript with %s', async (_, type, module, resolution) => {
  await writeFile(path.join(program, 'package.json'), JSON.stringify({ type }));
  const code = `import { createClient, overContainer, type Failure } from '@guoke/client';
export const { api } = createClient({ baseUrl: '', transport: overContainer({ env: 'e', service: 's' }) });
export const me = async (): Promise<string | null> => (await api.user.me.query()).nickName;
export const retry = ({ retry }: Failure) => retry;
`;
  await writeFile(path.join(program, 'a.ts'), code);
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    'false',
    '--lib',
    'es2020',
    '--target',
    'es2020',
    '--types',
    '',
  ];
  const args = [...options, '--module', module, '--moduleResolution', resolution, 'a.ts'];
  const told: { stdout: string } = await node([bin('typescript/bin/tsc'), ...args], program).catch((error: object) => ({
    stdout: '',
    ...error,
  }));
  expect(told.stdout).toBe('');
});
