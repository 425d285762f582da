import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Starts a real nginx with a site's configuration, its port, certificate and upstream replaced by ones of the test's. */
export async function startProxy({ config, directory, backend }: Record<'config' | 'directory' | 'backend', string>) {
  const port = await freePort();
  const pem = path.join(directory, 'cert.pem');
  const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject, '-keyout', pem, '-out', `${pem}.crt`], {
    stdio: 'ignore',
  });
  const site = config
    .replaceAll(/listen 443 /g, `listen 127.0.0.1:${port} `)
    .replaceAll(/(ssl_certificate) \S+;/g, `$1 ${pem}.crt;`)
    .replaceAll(/(ssl_certificate_key) \S+;/g, `$1 ${pem};`)
    .replaceAll('127.0.0.1:8080', new URL(backend).host);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path tmp/${name};`,
  );
  const main = `daemon off; pid nginx.pid; error_log stderr; worker_processes 1; ${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http { access_log off; ${temporary.join(' ')}
${site} }`;
  await writeFile(path.join(directory, 'nginx.conf'), main);
  const nginx = spawn('nginx', ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  nginx.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));

  const send = (method: string, url: string, body = '', headers: Record<string, string> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        method,
        path: url,
        headers,
        rejectUnauthorized: false,
        agent: false,
      } as const;
      request(options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      })
        .on('error', reject)
        .end(body);
    });

  for (let tries = 0; ; tries++) {
    try {
      await send('GET', '/healthz');
      break;
    } catch (error) {
      if (tries > 200 || nginx.exitCode !== null) throw new Error(`nginx did not start:\n${words}`, { cause: error });
      await sleep(20);
    }
  }
  return {
    get: (url: string) => send('GET', url),
    post: (url: string, body: string, headers: Record<string, string> = {}) =>
      send('POST', url, body, { 'content-type': 'application/json', ...headers }),
    async close(): Promise<void> {
      const ended = once(nginx, 'exit');
      nginx.kill('SIGTERM');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
