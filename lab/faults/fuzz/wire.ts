import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encode, type Message, type Reply } from './message.ts';

/** How long an answer may take; a request that promises more than it sends never gets one. */
const patienceMs = 1500;

/** Sends requests one after the other on a connection that is kept where the server keeps it. */
export function createWire(origin: string) {
  const { hostname, port } = new URL(origin);
  let socket: Socket | undefined;

  async function connected(): Promise<Socket> {
    if (socket && !socket.destroyed && socket.writable && socket.readable) return socket;
    const fresh = connect(Number(port), hostname).setNoDelay();
    fresh.on('error', () => {});
    await once(fresh, 'connect');
    socket = fresh;
    return fresh;
  }

  return {
    /** null: the connection ended, or stayed silent, without an answer. */
    async send(message: Message, mayStall: boolean): Promise<Reply | null> {
      const line = await connected();
      const reply = await new Promise<Reply | null>((resolve) => {
        let received = Buffer.alloc(0);
        const timer = setTimeout(() => end(null), mayStall ? 150 : patienceMs * 4);
        const onData = (bytes: Buffer) => {
          received = Buffer.concat([received, bytes]);
          const parsed = parse(received, message.method);
          if (parsed) end(parsed.reply, parsed.whole && !mayStall);
        };
        const onClose = () => end(parse(received, message.method, true)?.reply ?? null);
        function end(answer: Reply | null, keep = false): void {
          clearTimeout(timer);
          line.off('data', onData).off('close', onClose).off('end', onClose);
          if (!keep || answer?.headers.get('connection') === 'close') line.destroy();
          resolve(answer);
        }
        line.on('data', onData).on('close', onClose).on('end', onClose);
        line.write(encode(message));
      });
      return reply;
    },
    close: () => socket?.destroy(),
  };
}

/** The first final answer in these bytes, once it is whole; `whole`: nothing comes after it. */
function parse(bytes: Buffer, method: string, isEnd = false): { reply: Reply; whole: boolean } | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const rest = bytes.subarray(headEnd + 4);
  if (status >= 100 && status < 200) return parse(rest, method, isEnd);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const reply = (body: Buffer, used: number) => ({ reply: { status, headers, body }, whole: used === rest.length });
  if (method === 'HEAD' || status === 204 || status === 304) return reply(Buffer.alloc(0), 0);
  if (headers.get('transfer-encoding') === 'chunked') {
    const unchunked = fromChunks(rest);
    return unchunked && reply(unchunked.body, unchunked.used);
  }
  const length = headers.get('content-length');
  if (length === undefined) return isEnd ? reply(rest, rest.length) : null;
  return rest.length < Number(length) ? null : reply(rest.subarray(0, Number(length)), Number(length));
}

function fromChunks(bytes: Buffer): { body: Buffer; used: number } | null {
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const next = lineEnd + 2 + size + 2;
    if (Number.isNaN(size) || bytes.length < next) return null;
    if (size === 0) return { body: Buffer.concat(pieces), used: next };
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
