import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build as esbuild } from 'esbuild';
import { createPhone } from '../../packages/client/test/phone.ts';
import { type Backend, startBackend } from '../../test/support/backend.ts';
import { openMiniProgram } from './mini-program.ts';
import { createPlatform } from './platform.ts';
import { type Toolchain, toolchains } from './toolchains.ts';
import { openWorkshop } from './workshop.ts';

const { values } = parseArgs({
  options: {
    /** Where to install and build; what is installed there is used again. By default a temporary directory. */
    directory: { type: 'string' },
    /** Apps by name, separated by commas. */
    only: { type: 'string' },
  },
});
const names = values.only?.split(',');
const chosen = toolchains.filter(({ app }) => !names || names.includes(app));
if (chosen.length === 0) {
  console.error(`There is no such app. There are: ${toolchains.map(({ app }) => app).join(', ')}`);
  process.exit(2);
}

const directory = path.resolve(values.directory ?? (await mkdtemp(path.join(tmpdir(), 'guoke-toolchains-'))));
const backend = await startBackend();
let broken = 0;
try {
  const workshop = await openWorkshop(directory, backend.url);
  for (const toolchain of chosen) await attempt(toolchain.name, () => logIn(workshop, toolchain));
} finally {
  await backend.close();
  if (values.directory === undefined) await rm(directory, { recursive: true, force: true });
}
console.log(broken === 0 ? 'all of them log in' : `${broken} BROKEN`);
process.exit(broken === 0 ? 0 : 1);

async function attempt(what: string, run: () => Promise<void>): Promise<void> {
  const from = performance.now();
  const failed = await run().then(
    () => false,
    (error: unknown) => {
      console.error(error);
      return true;
    },
  );
  if (failed) broken += 1;
  console.log(`${failed ? 'BROKEN' : 'ok    '}  ${what} (${((performance.now() - from) / 1000).toFixed(0)} s)`);
}

async function logIn(workshop: Awaited<ReturnType<typeof openWorkshop>>, toolchain: Toolchain): Promise<void> {
  const { code } = backend.standin.phone.login({ user: toolchain.app });
  const output = await workshop.build(toolchain, { BACKEND_URL: backend.url, LOGIN_CODE: code });
  for (const page of toolchain.pages ?? []) await openPage(backend, output, page);
  if (toolchain.app === 'wechat') await runSuite(output);
}

/** A page of every app ends by showing what `user.me` tells of a user who is new: that there is no nickname yet. */
async function openPage({ standin, url }: Backend, output: string, page: string): Promise<void> {
  const phone = createPhone({ backend: { standin, url }, user: `${output}#${page}`, code: '' });
  try {
    const { shown } = openMiniProgram(output, page, createPlatform(phone, standin.apps[0].appId));
    const deadline = Date.now() + 10_000;
    while (!shown.some((patch) => patch.includes('还没有昵称'))) {
      if (Date.now() > deadline) throw new Error(`${page} shows ${shown.join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const paths = phone.sent.map((request) => request.paths.join());
    if (paths.join(' ') !== 'auth.checkUser user.me') throw new Error(`${page} has called ${paths.join(' ')}`);
  } finally {
    phone.close();
  }
}

/** The client's whole suite on what WeChat's compiler makes of it, ES5, with today's Promise and that of iOS up to 15. */
async function runSuite(output: string): Promise<void> {
  const outfile = path.join(directory, 'client-es5.js');
  const entry = path.join(output, 'miniprogram_npm/@guoke/client/index.js');
  await esbuild({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'neutral',
    mainFields: ['main'],
  });
  for (const promise of ['native', 'timers']) {
    const env = { ...process.env, GUOKE_CLIENT_CODE: outfile, GUOKE_CLIENT_PROMISE: promise };
    const { status, stdout, stderr } = spawnSync('npx', ['vitest', 'run', 'packages/client/test'], {
      encoding: 'utf8',
      env,
    });
    if (status !== 0)
      throw new Error(`The client's suite fails on WeChat's ES5, with the ${promise} Promise:\n${stdout}${stderr}`);
  }
}
