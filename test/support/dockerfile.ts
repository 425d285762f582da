import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

interface Step {
  instruction: string;
  /** `--from=build` of a COPY. */
  from: string | undefined;
  text: string;
}

interface Stage {
  name: string;
  steps: readonly Step[];
}

export interface Image {
  workdir: string;
  env: Readonly<Record<string, string>>;
  user: string;
  command: readonly string[];
  health: readonly string[];
}

/** The uid that stands for the image's own user here. */
export const unprivileged = 65_534;

/** The stages of a Dockerfile, as far as ours uses the language. */
export async function readDockerfile(file: string): Promise<Stage[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const stages: { name: string; steps: Step[] }[] = [];
  for (const line of lines) {
    const [, instruction = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === 'FROM') {
      stages.push({ name: / AS (\S+)$/.exec(rest)?.[1] ?? `${stages.length}`, steps: [] });
      continue;
    }
    const [, from, text = rest] = /^--from=(\S+) (.*)$/.exec(rest) ?? [];
    stages.at(-1)?.steps.push({ instruction, from, text });
  }
  return stages;
}

/**
 * Carries the steps out in directories under `root`, one for each stage, and gives back what the last one says of
 * running it. `installed` stands in for what a plain `npm ci` installs: the tests themselves run on that.
 */
export async function buildImage(
  stages: readonly Stage[],
  { context, root, installed }: Record<'context' | 'root' | 'installed', string>,
) {
  await mkdir(path.join(root, 'bin'), { recursive: true });
  const isRoot = process.getuid?.() === 0;
  const chown = isRoot ? `#!/bin/sh\nshift\nexec /bin/chown ${unprivileged}:${unprivileged} "$@"\n` : '#!/bin/sh\n';
  await writeFile(path.join(root, 'bin/chown'), chown);
  await chmod(path.join(root, 'bin/chown'), 0o755);
  await chmod(root, 0o755);

  const built = new Map<string, Promise<Image>>();
  for (const stage of stages) built.set(stage.name, build(stage));
  // Nothing may still be at work in the directory when it is removed.
  await Promise.allSettled(built.values());
  const images = await Promise.all(built.values());
  const last = images.at(-1);
  if (!last) throw new Error('no stage');
  return last;

  async function build({ name, steps }: Stage): Promise<Image> {
    const image = {
      workdir: '',
      env: {} as Record<string, string>,
      user: 'root',
      command: [] as string[],
      health: [] as string[],
    };
    for (const { instruction, from, text } of steps) {
      switch (instruction) {
        case 'WORKDIR':
          image.workdir = path.join(root, name, text);
          await mkdir(image.workdir, { recursive: true });
          break;
        case 'ENV':
          for (const pair of text.split(' ')) image.env[pair.split('=')[0] ?? ''] = pair.split('=')[1] ?? '';
          break;
        case 'COPY': {
          await built.get(from ?? '');
          const names = text.split(' ');
          const to = path.join(image.workdir, names.pop() ?? '');
          for (const each of names) {
            const source = from ? path.join(root, from, each) : path.join(context, each);
            await cp(source, names.length > 1 || to.endsWith('/') ? path.join(to, path.basename(each)) : to, {
              recursive: true,
            });
          }
          break;
        }
        case 'RUN':
          if (text === 'npm ci --ignore-scripts') await symlink(installed, path.join(image.workdir, 'node_modules'));
          else {
            const PATH = `${path.join(root, 'bin')}:${process.env.PATH}`;
            const env = { ...process.env, ...image.env, PATH, npm_config_prefer_offline: 'true' };
            await promisify(execFile)('sh', ['-c', text], { cwd: image.workdir, env });
          }
          break;
        case 'USER':
          image.user = text;
          break;
        case 'CMD':
          image.command = JSON.parse(text) as string[];
          break;
        case 'HEALTHCHECK':
          image.health = JSON.parse(text.slice(text.indexOf('['))) as string[];
          break;
        case 'EXPOSE':
          break;
        default:
          throw new Error(`the test knows no ${instruction}`);
      }
    }
    return image;
  }
}
