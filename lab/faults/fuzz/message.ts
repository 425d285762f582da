/** One request as it goes over the wire: nothing in it has to be right. */
export interface Message {
  method: string;
  /** What stands after the method: a path and a query, as a rule. */
  target: string;
  headers: [name: string, value: string][];
  body: Buffer;
  /** `length` says how long the body is, unless a header says otherwise; `chunked` sends it in pieces. */
  framing: 'length' | 'chunked';
}

export interface Reply {
  status: number;
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}

/** The bytes of a request. */
export function encode({ method, target, headers, body, framing }: Message): Buffer {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (!names.has('host')) lines.push('host: guoke.test');
  if (framing === 'chunked') lines.push('transfer-encoding: chunked');
  else if (body.length > 0 && !names.has('content-length')) lines.push(`content-length: ${body.length}`);
  else if (method === 'POST' && !names.has('content-length')) lines.push('content-length: 0');
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, framing === 'chunked' ? inChunks(body) : body]);
}

/** Pieces of uneven sizes. */
function inChunks(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 4096) {
    const piece = body.subarray(at, at + size);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

/** The request as a line for a shell; what curl cannot send is sent as bytes. */
export function asCommand(origin: string, message: Message): string {
  const { method, target, headers, body, framing } = message;
  const plain =
    /^[A-Z]+$/.test(method) &&
    /^\/[\x21-\x7e]*$/.test(target) &&
    headers.every(([, value]) => /^[\x20-\x7e]*$/.test(value));
  if (!plain) {
    const { hostname, port } = new URL(origin);
    return `base64 -d <<<${encode(message).toString('base64')} | nc -q 3 ${hostname} ${port}`;
  }
  const options = headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  if (framing === 'chunked') options.push("-H 'transfer-encoding: chunked'");
  const printable = /^[\x20-\x7e]*$/.test(body.toString('latin1'));
  const data = body.length === 0 ? '' : printable ? ` --data-binary ${quoted(body.toString())}` : ' --data-binary @-';
  const input = data.endsWith('@-') ? `base64 -d <<<${body.toString('base64')} | ` : '';
  return `${input}curl -sS -i --path-as-is -X ${method} ${options.join(' ')}${data} ${quoted(origin + target)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
