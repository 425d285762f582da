import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Fault } from './faults.ts';
import type { Reply } from './reply.ts';

type Named<Kind> = Extract<Fault, { kind: Kind }>;

/** Long enough for what was sent to be read before the connection dies. */
const SETTLE_MS = 20;

/** Sends the reply as the fault says, whole or in part. It ends when the caller hangs up. */
export function deliver(outgoing: ServerResponse, reply: Reply, fault?: Fault): void {
  switch (fault?.kind) {
    case 'delay':
      return later(outgoing, fault.ms, () => send(outgoing, reply));
    case 'hang':
      return begin(outgoing, reply, fault.after);
    case 'reset':
      return breakOff(outgoing, reply, fault);
    case 'trickle':
      return fault.head ? trickleHead(outgoing, reply, fault) : trickle(outgoing, reply, fault);
    case 'huge':
      return pour(outgoing, reply, fault.bytes);
    case 'gzipBomb':
      return pourZipped(outgoing, reply, fault.bytes);
    default:
      return send(outgoing, reply);
  }
}

function send(outgoing: ServerResponse, reply: Reply): void {
  outgoing.writeHead(reply.status, sized(reply)).end(reply.body);
}

function sized({ headers, body }: Reply): Record<string, string> {
  return { ...headers, 'content-length': String(body.length) };
}

/** The headers promise the whole body. */
function begin(outgoing: ServerResponse, reply: Reply, after: Named<'hang'>['after']): void {
  if (after === 'nothing') return;
  outgoing.writeHead(reply.status, sized(reply)).flushHeaders();
  if (after === 'half') outgoing.write(reply.body.subarray(0, Math.ceil(reply.body.length / 2)));
}

function breakOff(outgoing: ServerResponse, reply: Reply, { after, how }: Named<'reset'>): void {
  const { socket } = outgoing;
  const end = () => (how === 'reset' ? socket?.resetAndDestroy() : socket?.destroy());
  if (after === 'nothing') return void end();
  begin(outgoing, reply, after);
  later(outgoing, SETTLE_MS, end);
}

function trickle(outgoing: ServerResponse, reply: Reply, { msPerByte }: Named<'trickle'>): void {
  outgoing.writeHead(reply.status, sized(reply)).flushHeaders();
  drip(
    outgoing,
    reply.body,
    msPerByte,
    (byte) => outgoing.write(byte),
    () => outgoing.end(),
  );
}

/** Node writes a head in one piece, so a slow one goes to the socket by hand. */
function trickleHead(outgoing: ServerResponse, reply: Reply, { msPerByte }: Named<'trickle'>): void {
  const headers = Object.entries({ ...sized(reply), connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const bytes = Buffer.concat([Buffer.from(`HTTP/1.1 ${reply.status} OK\r\n${headers.join('')}\r\n`), reply.body]);
  const { socket } = outgoing;
  drip(
    outgoing,
    bytes,
    msPerByte,
    (byte) => socket?.write(byte),
    () => socket?.end(),
  );
}

function drip(
  outgoing: ServerResponse,
  bytes: Buffer,
  ms: number,
  write: (byte: Buffer) => void,
  end: () => void,
): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (sent === bytes.length) {
      clearInterval(timer);
      end();
    } else write(bytes.subarray(sent, ++sent));
  }, ms);
  outgoing.once('close', () => clearInterval(timer));
}

function pour(outgoing: ServerResponse, { status, headers, body }: Reply, bytes: number): void {
  outgoing.writeHead(status, headers);
  pipeline(Readable.from(padded(body, bytes)), outgoing).catch(hungUp);
}

/** Gzip whether or not it was asked for. */
function pourZipped(outgoing: ServerResponse, { status, headers, body }: Reply, bytes: number): void {
  outgoing.writeHead(status, { ...headers, 'content-encoding': 'gzip' });
  pipeline(Readable.from(padded(body, bytes)), createGzip(), outgoing).catch(hungUp);
}

/** A reader who has had enough leaves; that is what these two are for. */
function hungUp(): void {}

function* padded(body: Buffer, bytes: number): Generator<Buffer> {
  const spaces = Buffer.alloc(64 * 1024, ' ');
  yield body;
  for (let left = bytes - body.length; left > 0; left -= spaces.length) yield spaces.subarray(0, left);
}

function later(outgoing: ServerResponse, ms: number, act: () => void): void {
  const timer = setTimeout(act, ms);
  outgoing.once('close', () => clearTimeout(timer));
}
