import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { logCall, login, me, Refused } from './by-hand.ts';

// The floor: bare node:http and mysql2, nothing between.

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const path = request.url ?? '';
  try {
    if (path === '/login') send(response, 200, await login(JSON.parse(await bodyOf(request))));
    else if (path === '/me') send(response, 200, await me(request.headers.authorization));
    else send(response, 404, {});
  } catch (error) {
    send(response, error instanceof Refused ? 401 : 500, {});
  }
  logCall(path, startedAt);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let length = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > 64 * 1024) throw new Refused();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  };
  response.writeHead(status, headers).end(body);
}

const server = createServer((request, response) => void answer(request, response));
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
