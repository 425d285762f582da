import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect } from 'node:tls';
import { createInterface } from 'node:readline';
import { parseEnv, promisify } from 'node:util';
import { beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config.ts';
import { devApp, startStandin } from '../packages/standin/src/server.ts';
import { startBackend } from './support/backend.ts';
import { hasMysql, mysql } from './support/databases.ts';
import { buildImage, type Image, readDockerfile, unprivileged } from './support/dockerfile.ts';
import { startProxy } from './support/nginx.ts';

const root = path.resolve(import.meta.dirname, '..');
const run = promisify(execFile);
const read = (file: string) => readFile(path.join(root, file), 'utf8');

const filled = {
  WX_APPID: devApp.appId,
  WX_SECRET: devApp.secret,
  SESSION_KEY_SECRETS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  MYSQL_PASSWORD: 'f00d',
};

/** The variables of .env.example, those behind a # with their defaults apart. */
async function readExample() {
  const text = await read('.env.example');
  const commented = [...text.matchAll(/^# ([A-Z_]+=.*)$/gm)].map(([, line]) => line);
  return { asked: parseEnv(text), byDefault: parseEnv(commented.join('\n')) };
}

describe('the image', () => {
  let image: Image;
  beforeAll(async () => {
    const directory = await mkdtemp(path.join(inject('scratch'), 'image-'));
    await run('chmod', ['755', inject('scratch')]);
    const stages = await readDockerfile(path.join(root, 'Dockerfile'));
    image = await buildImage(stages, { context: root, root: directory, installed: path.join(root, 'node_modules') });
  }, 120_000);

  /** As `docker run` would: the image's own environment and this, as a user without rights where we are root. */
  function start(command: readonly string[], env: Record<string, string>) {
    const [program = '', ...args] = command;
    const ids = process.getuid?.() === 0 ? { uid: unprivileged, gid: unprivileged } : {};
    // The image's `node` is the first on its PATH; here it is the one that runs the tests, which that user may not reach.
    return spawn(program === 'node' ? process.execPath : program, args, {
      cwd: image.workdir,
      env: { PATH: process.env.PATH, ...image.env, HOST: '127.0.0.1', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      ...ids,
    });
  }

  test('the image holds only what runs, and runs it as `npm start` does, not as root', async () => {
    expect((await readdir(image.workdir)).toSorted()).toEqual([
      '.data',
      'dist',
      'drizzle',
      'guoke.js',
      'node_modules',
      'package.json',
    ]);
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    expect(image.command.join(' ')).toBe(scripts.start);
    expect(['root', '0', '']).not.toContain(image.user);
    const packages = await readdir(path.join(image.workdir, 'node_modules'));
    for (const tool of ['typescript', 'vitest', 'tsx', 'fastify', 'drizzle-kit']) expect(packages).not.toContain(tool);
    const { stdout } = await run('find', [image.workdir, '-not', '-perm', '-o=r', '-not', '-name', '.data']);
    expect(stdout).toBe('');
  });

  test.each(hasMysql ? ['SQLite', 'MySQL'] : ['SQLite'])(
    'the image serves on %s, as the compose file has it',
    async (dialect) => {
      const standin = await startStandin();
      onTestFinished(() => standin.close());
      const env = {
        ...filled,
        WX_API_BASE_URL: standin.url,
        ...(dialect === 'MySQL' && { DATABASE_URL: await mysql.createUrl(), MIGRATE_ON_START: 'false' }),
      };
      if (dialect === 'MySQL') {
        const { services } = await readCompose();
        const [code] = (await once(start(services.migrate.command, env), 'exit')) as [number];
        expect(code).toBe(0);
      }
      const server = start(image.command, env);
      const ended = once(server, 'exit');
      const line = await new Promise<string>((resolve, reject) => {
        createInterface(server.stdout).on('line', (each) => each.includes('"msg":"listening"') && resolve(each));
        void ended.then(() => reject(new Error('it ended')));
      });
      const { url } = JSON.parse(line) as { url: string };
      const health = async () => (await once(start(image.health, { PORT: new URL(url).port }), 'exit'))[0] as number;
      // It listens before its tables are there.
      await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), 10_000);
      const body = JSON.stringify({ code: standin.phone.login({ user: 'ming' }).code });
      const call = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
      expect((await fetch(`${url}/trpc/auth.checkUser`, call)).status).toBe(200);
      expect(await health()).toBe(0);
      server.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(await health()).toBe(1);
    },
  );

  test('the image is built of what .dockerignore lets through', async () => {
    const allowed = (await read('.dockerignore')).split('\n').filter((line) => line.startsWith('!'));
    for (const { steps } of await readDockerfile(path.join(root, 'Dockerfile'))) {
      for (const { instruction, from, text } of steps) {
        if (instruction !== 'COPY' || from) continue;
        for (const name of text.split(' ').slice(0, -1)) expect(allowed).toContain(`!${name}`);
      }
    }
    expect((await read('.dockerignore')).split('\n')).toContain('*');
  });
});

interface Service {
  environment: Record<string, string>;
  command: string[];
  ports: string[];
  depends_on: Record<string, { condition: string }>;
  healthcheck: { test: string[] };
}

/** compose.yaml with the variables of a filled-in .env.example put in, as Compose does it. */
async function readCompose(env: Record<string, string | undefined> = filled) {
  const missing: string[] = [];
  const text = (await read('compose.yaml')).replaceAll(
    /\$(?:\$|\{(\w+)(?::(-|\?)([^}]*))?\})/g,
    (_, name: string | undefined, operator: string | undefined, word: string | undefined) => {
      if (name === undefined) return '$';
      if (env[name]) return env[name];
      if (operator === '?') missing.push(name);
      return operator === '-' ? (word ?? '') : '';
    },
  );
  // Numbers too: Compose puts the variables in after it has read the YAML, and they are text there.
  const document: unknown = parse(text, { merge: true, schema: 'failsafe' });
  return { missing, services: (document as { services: Record<'backend' | 'migrate' | 'mysql', Service> }).services };
}

describe('compose.yaml', () => {
  test('compose.yaml asks for what .env.example asks for, and gives the backend a configuration that it accepts', async () => {
    const { asked } = await readExample();
    expect((await readCompose(asked)).missing.toSorted()).toEqual(
      expect.arrayContaining(Object.keys(asked).toSorted()),
    );
    const { missing, services } = await readCompose();
    expect(missing).toEqual([]);
    expect(loadConfig(services.backend.environment).settings).toEqual(
      loadConfig({ ...filled, MIGRATE_ON_START: 'false' }).settings,
    );
    for (const service of [services.backend, services.migrate]) {
      const { settings, secrets } = loadConfig(service.environment);
      expect(settings.migrateOnStart).toBe(false);
      const url = new URL(secrets.databaseUrl);
      expect([url.hostname, url.username, url.password, url.pathname]).toEqual([
        'mysql',
        services.mysql.environment.MYSQL_USER,
        services.mysql.environment.MYSQL_PASSWORD,
        `/${services.mysql.environment.MYSQL_DATABASE}`,
      ]);
    }
  });

  test('compose.yaml hands on every other variable of .env.example, except those that it sets itself', async () => {
    const { byDefault } = await readExample();
    const own = ['DATABASE_URL', 'HOST', 'PORT', 'MIGRATE_ON_START'];
    const others = Object.keys(byDefault).filter((name) => !own.includes(name));
    const marked = Object.fromEntries(others.map((name) => [name, `given ${name}`]));
    const { services } = await readCompose({ ...filled, ...marked });
    for (const service of [services.backend, services.migrate]) expect(service.environment).toMatchObject(marked);
  });

  test('compose.yaml migrates once, when the database answers, and starts the backend afterwards', async () => {
    const { services } = await readCompose();
    expect(services.backend.depends_on).toEqual({ migrate: { condition: 'service_completed_successfully' } });
    expect(services.migrate.depends_on).toEqual({ mysql: { condition: 'service_healthy' } });
    expect(services.migrate.command).toEqual(['node', 'guoke.js', 'migrate']);
    expect(services.mysql.healthcheck.test.join(' ')).toContain('MYSQL_PWD="$MYSQL_PASSWORD" mysqladmin ping');
    const port = /PORT=(\d+)/.exec(await read('Dockerfile'))?.[1];
    expect(services.backend.ports).toEqual([`127.0.0.1:8080:${port}`]);
  });
});

test('.env.example lists every variable of the configuration, with its default', async () => {
  const names = (await read('src/config.ts')).matchAll(/^ {2}([A-Z][A-Z_]+):/gm);
  const { asked, byDefault } = await readExample();
  const { MYSQL_PASSWORD, ...ofOurs } = { ...asked, ...byDefault };
  expect(MYSQL_PASSWORD).toBe('');
  expect(Object.keys(ofOurs).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
    [...new Set([...names].map(([, name = '']) => name))].toSorted((a, b) => (a < b ? -1 : 1)),
  );
  expect(loadConfig({ ...filled, ...byDefault })).toEqual(loadConfig(filled));
  expect(() => loadConfig(asked)).toThrow(/WX_APPID is missing/);
});

const hasSystemd = has('systemd-analyze', '--version');
test.skipIf(!hasSystemd)('the systemd unit is valid, and systemd rates its exposure as low', async () => {
  const directory = await mkdtemp(path.join(inject('scratch'), 'unit-'));
  const unit = path.join(directory, 'guoke.service');
  const text = await read('deploy/guoke.service');
  expect(text).toContain('ExecStart=/usr/bin/node --max-semi-space-size=16 --no-memory-reducer guoke.js start');
  await writeFile(unit, text.replace('/usr/bin/node', process.execPath));
  expect(await run('systemd-analyze', ['verify', unit])).toEqual({ stdout: '', stderr: '' });
  // In tenths: 1.5 of 10. Rejects when it is more.
  await run('systemd-analyze', ['security', '--offline=true', '--threshold=15', unit]);

  // For several instances, as docs/deployment.md makes it.
  const command = /^sed .* deploy\/guoke\.service(?= > )/m.exec(await read('docs/deployment.md'))?.[0] ?? 'false';
  const { stdout: template } = await run('sh', ['-c', command], { cwd: root });
  expect(template.replace('\nEnvironment=PORT=%i\n', '\n')).toBe(text);
  expect(template).toMatch(/^Environment=PORT=%i\nEnvironmentFile=/m);
  const instance = path.join(directory, 'guoke@8081.service');
  await writeFile(instance, template.replace('/usr/bin/node', process.execPath));
  expect(await run('systemd-analyze', ['verify', instance])).toEqual({ stdout: '', stderr: '' });
});

const hasNginx = has('nginx', '-v') && has('openssl', 'version');
if (!hasNginx) console.warn('NOT TESTED: deploy/nginx.conf. There is no nginx here.');
test.skipIf(!hasNginx)(
  'nginx lets no caller choose its address or its request id, and passes on the backend’s own refusals',
  async () => {
    const backend = await startBackend({ env: { TRUST_PROXY_HOPS: '1', RATE_LIMIT_PER_MINUTE: '3' } });
    onTestFinished(() => backend.close());
    const directory = await mkdtemp(path.join(inject('scratch'), 'nginx-'));
    await mkdir(path.join(directory, 'tmp'));
    const proxy = await startProxy({ config: await read('deploy/nginx.conf'), directory, backend: backend.url });
    onTestFinished(() => proxy.close());

    expect(await proxy.get('/readyz')).toMatchObject({ status: 200 });
    const statuses = [];
    for (let i = 0; i < 4; i++) {
      const headers = { 'x-forwarded-for': `192.0.2.${i}`, 'x-request-id': 'mine' };
      const { code } = backend.standin.phone.login({ user: 'ming' });
      const answer = await proxy.post('/trpc/auth.checkUser', JSON.stringify({ code }), headers);
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    const large = await proxy.post('/trpc/auth.checkUser', JSON.stringify({ code: 'x'.repeat(100_000) }));
    expect(large.status).toBe(413);
    expect(JSON.parse(large.body)).toMatchObject({ error: { data: { reason: 'TOO_LARGE' } } });
  },
);

test.skipIf(!hasNginx)('nginx cuts off a caller who is silent or stalls, within 15 s', async () => {
  const directory = await mkdtemp(path.join(inject('scratch'), 'nginx-'));
  await mkdir(path.join(directory, 'tmp'));
  const seconds: number[] = [];
  // A tenth of the time shows it.
  const config = (await read('deploy/nginx.conf')).replaceAll(
    /(client_(?:header|body)_timeout) (\d+)s;/g,
    (_, name: string, time: string) => `${name} ${seconds.push(Number(time)) && Number(time) * 100}ms;`,
  );
  expect(seconds).toHaveLength(2);
  expect(Math.max(...seconds)).toBeLessThan(15);
  const proxy = await startProxy({ config, directory, backend: 'http://127.0.0.1:9' });
  onTestFinished(() => proxy.close());
  const port = Number(
    /listen 127\.0\.0\.1:(\d+)/.exec(await readFile(path.join(directory, 'nginx.conf'), 'utf8'))?.[1],
  );
  const half = 'POST /trpc/auth.checkUser HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{';
  const from = performance.now();
  for (const sent of ['', 'GET / HT', half]) {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => socket.write(sent));
    socket.resume().on('error', () => {});
    await once(socket, 'close');
  }
  expect(performance.now() - from).toBeLessThan(10_000);
});

function has(program: string, flag: string): boolean {
  try {
    execFileSync(program, [flag], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
