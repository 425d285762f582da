import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { installations, type Toolchain } from './toolchains.ts';

const run = promisify(execFile);
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

  /** Installs what is not there yet, and this build of the client anew. */
  async function install(name: Toolchain['installation']): Promise<string> {
    const home = path.join(directory, 'installations', name);
    const packages = [...installations[name]];
    const noted = path.join(home, 'installed.json');
    const before = await readFile(noted, 'utf8').catch(() => '');
    if (before !== JSON.stringify(packages)) {
      await rm(home, { recursive: true, force: true });
      await mkdir(home, { recursive: true });
      await writeFile(path.join(home, 'package.json'), '{ "private": true }');
      const quietly = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--prefer-offline'];
      await run('npm', ['install', ...quietly, ...packages], { cwd: home, maxBuffer: 64 * 1024 * 1024 });
      await writeFile(noted, JSON.stringify(packages));
    }
    const client = path.join(home, 'node_modules/@guoke/client');
    await rm(client, { recursive: true, force: true });
    await mkdir(client, { recursive: true });
    await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', client]);
    return home;
  }

  return {
    /** Builds a toolchain's app for this backend and gives the directory of what it made. */
    async build({ app, installation, commands, output = '.' }: Toolchain, env: NodeJS.ProcessEnv): Promise<string> {
      const home = await install(installation);
      const project = path.join(directory, 'apps', app);
      await rm(project, { recursive: true, force: true });
      await cp(path.join(import.meta.dirname, 'apps', app), project, { recursive: true });
      for (const name of await readdir(project, { recursive: true })) {
        const file = path.join(project, name);
        if (name.endsWith('guoke.ts') || name.endsWith('index.ts')) await replace(file, placeholder, backendUrl);
      }
      await symlink(path.join(home, 'node_modules'), path.join(project, 'node_modules'));
      const manifest = { name: 'app', version: '1.0.0', private: true, dependencies: { '@guoke/client': '0.1.0' } };
      await writeFile(path.join(project, 'package.json'), JSON.stringify(manifest));
      const bin = path.join(home, 'node_modules/.bin');
      for (const [command, ...args] of commands) {
        const program = command === 'node' ? process.execPath : path.join(bin, command);
        await run(program, args, {
          cwd: project,
          env: { ...process.env, NODE_ENV: 'production', ...env },
          maxBuffer: 64 * 1024 * 1024,
        });
      }
      return path.join(project, output);
    },
  };
}

async function replace(file: string, before: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(before, after));
}
