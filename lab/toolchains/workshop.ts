import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { installations, type Toolchain } from './toolchains.ts';

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;
const root = path.resolve(import.meta.dirname, '../..');
/** The backend's address in the apps' sources. */
const placeholder = 'http://127.0.0.1:8080';

/** A directory outside the project in which toolchains are installed and apps are built with the packed client. */
export async function openWorkshop(directory: string, backendUrl: string) {
  const clientDirectory = path.join(root, 'packages/client');
  await run(process.execPath, [path.join(root, 'node_modules/tsx/dist/cli.mjs'), 'build.mts'], {
    cwd: clientDirectory,
  });
  await mkdir(directory, { recursive: true });
  const packed = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], {
    cwd: clientDirectory,
  });
  const tarball = path.join(directory, packed.stdout.trim());

  /** The directory of an installation, with what it lacks, and with this build of the client anew. */
  async function install(name: Toolchain['installation']): Promise<string> {
    const home = path.join(directory, name);
    await mkdir(home, { recursive: true });
    const manifest = path.join(home, 'package.json');
    const wanted = manifestOf(installations[name], tarball);
    const before = await readFile(manifest, 'utf8').catch(() => '');
    if (before !== wanted) {
      await writeFile(manifest, wanted);
      const quietly = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--prefer-offline'];
      await run('npm', ['install', ...quietly], { cwd: home, maxBuffer }).catch(async (error: unknown) => {
        await rm(manifest);
        throw error;
      });
    }
    const client = path.join(home, 'node_modules/@guoke/client');
    await rm(client, { recursive: true, force: true });
    await mkdir(client, { recursive: true });
    await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', client]);
    return home;
  }

  return {
    /** Builds a toolchain's app for this backend, in place of the one before, and gives the directory of the result. */
    async build({ app, installation, commands, output = '.' }: Toolchain, env: NodeJS.ProcessEnv): Promise<string> {
      const home = await install(installation);
      const installed = ['node_modules', 'package.json', 'package-lock.json'];
      for (const name of await readdir(home)) {
        if (!installed.includes(name)) await rm(path.join(home, name), { recursive: true });
      }
      await cp(path.join(import.meta.dirname, 'apps', app), home, { recursive: true });
      for (const name of await readdir(path.join(home, 'src'), { recursive: true }).catch(() => [])) {
        if (name.endsWith('.ts')) await replace(path.join(home, 'src', name), placeholder, backendUrl);
      }
      for (const [command, ...args] of commands) {
        const program = command === 'node' ? process.execPath : path.join(home, 'node_modules/.bin', command);
        const environment = { ...process.env, NODE_ENV: 'production', ...env };
        await run(program, args, { cwd: home, env: environment, maxBuffer });
      }
      return path.join(home, output);
    },
  };
}

/** The toolchain's packages are for development: WeChat's packer packs the dependencies, which is the client alone. */
function manifestOf(packages: readonly string[], tarball: string): string {
  const devDependencies = Object.fromEntries(
    packages.map((name): [string, string] => {
      const at = name.lastIndexOf('@');
      return [name.slice(0, at), name.slice(at + 1)];
    }),
  );
  const dependencies = { '@guoke/client': `file:../${path.basename(tarball)}` };
  return JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies, devDependencies }, null, 2);
}

async function replace(file: string, before: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(before, after));
}
