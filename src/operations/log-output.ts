import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

export interface LogOutput {
  /** Never throws and never waits: a line that cannot be written is dropped and counted. */
  write(line: string): void;
  /** How many lines were dropped so far. */
  dropped(): number;
}

type Put = (text: string, onLost: () => void) => void;

/** What may wait for a slow reader before lines are dropped. */
const maxWaitingBytes = 1024 * 1024;

/**
 * Writes all lines of a turn of the event loop at once: a write costs ten times as much as making a line. A full disk, a
 * reader that is gone or one that does not read costs lines of the log, and no call.
 */
export function createLogOutput(stream: Writable & { fd?: number }): LogOutput {
  const put = isFile(stream.fd) ? toFile(stream.fd ?? 1) : toStream(stream);
  const lose = (count: number) => void (dropped += count);
  let lines: string[] = [];
  let dropped = 0;
  let told = 0;

  function flush(): void {
    const due = lines;
    lines = [];
    if (due.length === 0) return;
    const isBack = dropped > told;
    const before = dropped;
    put(`${isBack ? lineAbout(dropped - told) : ''}${due.join('')}`, () => lose(due.length));
    if (isBack && dropped === before) told = dropped;
  }
  process.once('exit', flush);

  return {
    write(line) {
      if (lines.length === 0) setImmediate(flush);
      lines.push(line);
    },
    dropped: () => dropped,
  };
}

function lineAbout(count: number): string {
  return `${JSON.stringify({ level: 40, time: new Date().toISOString(), count, msg: 'log lines were dropped' })}\n`;
}

/** A device such as /dev/full counts as a file. */
function isFile(fd: number | undefined): boolean {
  if (fd === undefined) return false;
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || (stat.isCharacterDevice() && !process.stdout.isTTY);
  } catch {
    return false;
  }
}

/** Node's own stream to a file is destroyed by its first error: it would not come back when the disk has room again. */
function toFile(fd: number): Put {
  return (text, onLost) => {
    try {
      writeSync(fd, text);
    } catch {
      onLost();
    }
  };
}

/** Node keeps what a pipe does not take, without a bound. */
function toStream(stream: Writable): Put {
  // Without a listener the error of a broken pipe ends the process.
  stream.on('error', () => {});
  return (text, onLost) => {
    if (stream.destroyed || stream.writableLength > maxWaitingBytes) return onLost();
    stream.write(text, (error) => error && onLost());
  };
}
