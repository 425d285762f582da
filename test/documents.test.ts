import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/operations/log.ts';
import { type Server, startServer } from '../src/server.ts';
import { devApp, type Standin, startStandin } from '../packages/standin/src/server.ts';
import { type Block, readDocument, root } from './support/markdown.ts';

const readmes = (await readdir(root)).filter((name) => name.endsWith('.md'));
const documents = [
  ...readmes,
  ...(await readdir(path.join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
/** Their blocks of code are those of the English documents, as test/twins.test.ts says: they are not run again. */
const twins = (await readdir(path.join(root, 'docs/zh'), { recursive: true }))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/zh/${name}`);

const isRun = ({ language, mark }: Block) => mark === '' && ['sh', 'bash', 'shell'].includes(language);

// See CONTRIBUTING.md, where the rule stands.
describe.each([...documents, ...twins])('%s', (document) => {
  test('a block of code is run, or marked and quoted from its file as it is', async () => {
    const wrong: string[] = [];
    for (const block of (await readDocument(document)).blocks) {
      const [word, file = ''] = block.mark.split(' ');
      if (isRun(block) || word === 'excerpt' || word === 'command') continue;
      if (word !== 'from') wrong.push(`${document}:${block.line}: neither run nor marked`);
      else if (!(await readFile(path.join(root, file), 'utf8')).includes(block.text)) {
        wrong.push(`${document}:${block.line}: not as in ${file}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('a link leads to a file that exists', async () => {
    const text = await readFile(path.join(root, document), 'utf8');
    const missing: string[] = [];
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      // A README is shown on a package page too, so its links name the repository.
      const [, ours] =
        /^https:\/\/(?:github|raw\.githubusercontent)\.com\/guokejs\/guoke\/(?:blob\/)?main\/(.+)$/.exec(target) ?? [];
      if (ours === undefined && /^[a-z]+:/.test(target)) continue;
      const file = ours === undefined ? path.join(root, path.dirname(document), target) : path.join(root, ours);
      const found = await stat(file).catch(() => null);
      if (!found) missing.push(target);
    }
    expect(missing).toEqual([]);
  });

  test('a cited test exists', async () => {
    const text = await readFile(path.join(root, document), 'utf8');
    const missing: string[] = [];
    for (const [name, file = '', title = ''] of text.matchAll(
      /`((?:packages\/\w+\/)?test\/[^`\s]+\.test\.ts)`(?: \*([^*]+)\*)?/g,
    )) {
      const source = await readFile(path.join(root, file), 'utf8').catch(() => null);
      if (!source?.includes(title)) missing.push(name);
    }
    expect(missing).toEqual([]);
  });
});

const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('NOT TESTED: the blocks of the documents. There is no curl here.');

describe.skipIf(!hasCurl)('the blocks that are run', () => {
  let project: string;
  let standin: Standin;
  let server: Server;

  /** The project as it stands after `npm run build`, with a server on its default database and the stand-in. */
  beforeAll(async () => {
    project = await mkdtemp(path.join(inject('scratch'), 'documents-'));
    for (const name of [
      'package.json',
      'guoke.js',
      'drizzle',
      '.env.example',
      'compose.yaml',
      'deploy',
      ...['client', 'standin', 'preview'].map((name) => `packages/${name}/package.json`),
    ]) {
      await cp(path.join(root, name), path.join(project, name), { recursive: true });
    }
    await mkdir(path.join(project, 'docs'));
    await symlink(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
    await promisify(execFile)('npx', ['tsx', 'compile.ts', 'src', path.join(project, 'dist')], { cwd: root });
    standin = await startStandin();
    const env = { WX_APPID: devApp.appId, WX_SECRET: devApp.secret, WX_API_BASE_URL: standin.url, PORT: '0' };
    server = await startServer(loadConfig({ ...env, DATABASE_URL: `file:${project}/.data/guoke.db` }), {
      log: createLog('silent'),
    });
  }, 60_000);
  afterAll(async () => {
    await server.close();
    await standin.close();
  });

  test.each(documents)('the blocks of %s do what they say, one after the other in one shell', async (document) => {
    const blocks = (await readDocument(document)).blocks.filter(isRun);
    if (blocks.length === 0) return;
    const script = blocks.map(({ line, text }) => `BLOCK=${document}:${line}\n${text}`).join('\n');
    const here = script
      .replaceAll('127.0.0.1:8080', new URL(server.url).host)
      .replaceAll('127.0.0.1:8081', new URL(standin.url).host);
    const env = { PATH: process.env.PATH, HOME: project, NO_COLOR: '1' };
    const failure = await promisify(execFile)('bash', ['-c', `${preamble}\n${here}`], {
      cwd: project,
      env,
      timeout: 30_000,
    }).then(
      () => null,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout.slice(-500)}\n${stderr.slice(-500)}`,
    );
    expect(failure).toBeNull();
  });
});

/** A call that the server does not understand is a mistake of the document's; a refusal may be what it shows. */
const preamble = `set -euo pipefail
trap 'echo "failed: $BLOCK" >&2' ERR
npm() {
  # The packages here are those of the tests themselves.
  case $1 in ci|i|install) echo 'what installs packages is run by .ci/run: mark it as a command' >&2; return 1 ;; esac
  command npm "$@"
}
curl() {
  local answer status
  answer=$(command curl --max-time 10 -w '\\n%{http_code}' "$@") || return
  status=\${answer##*$'\\n'}
  printf '%s\\n' "\${answer%$'\\n'*}"
  case $status in 400|404|405|413|415|5??) echo "HTTP $status" >&2; return 22 ;; esac
}`;
