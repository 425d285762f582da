import { pino } from 'pino';
import { createLogOutput, type LogOutput } from './log-output.ts';

/**
 * The only fields that a log line may have. There is no room for a body, a header, a URL or an error's message,
 * where keys, codes and tokens would be.
 */
export interface LogFields {
  requestId?: string;
  /** `auth.login`; the path of an unknown procedure is not logged. */
  procedure?: string;
  reason?: string;
  /** What an operator did to a user, such as `block`; `reason` is then the operator's own. */
  act?: string;
  durationMs?: number;
  status?: number;
  /** A driver's or Node's error code, such as ECONNREFUSED. */
  code?: string;
  errno?: number;
  /** WeChat's own, and the id that its support asks for. */
  errcode?: number;
  rid?: string;
  /** What the operator can do about it. */
  advice?: string;
  appId?: string;
  /** Which part of a profile's proof failed: for the operator only, the caller gets one answer for all. */
  check?: string;
  errorName?: string;
  /** The frames of a stack, without the message above them. */
  frames?: readonly string[];
  url?: string;
  count?: number;
}

/** The same list at run time: fields that JavaScript or a spread adds are dropped. */
const fieldNames = {
  requestId: true,
  procedure: true,
  reason: true,
  act: true,
  durationMs: true,
  status: true,
  code: true,
  errno: true,
  errcode: true,
  rid: true,
  advice: true,
  appId: true,
  check: true,
  errorName: true,
  frames: true,
  url: true,
  count: true,
} satisfies Record<keyof LogFields, true>;

const maxCharacters = 500;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Shows an unexpected error as it is. For development only, since its message may hold anything; `createLog` has none. */
  unexpected?(error: unknown): void;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

interface Destination {
  write(lines: string): void;
}

/** One for all logs of the process: each has a listener for its exit. */
let standardOutput: LogOutput | undefined;

/** JSON lines, on standard output unless they are to go elsewhere. */
export function createLog(level: LogLevel, destination?: Destination): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination ?? (standardOutput ??= createLogOutput(process.stdout)),
  );
  // pino by itself would print whatever an object holds, and the message of an error that is given in its place.
  return {
    debug: (fields, message) => logger.debug(allowed(fields), message),
    info: (fields, message) => logger.info(allowed(fields), message),
    warn: (fields, message) => logger.warn(allowed(fields), message),
    error: (fields, message) => logger.error(allowed(fields), message),
  };
}

/** How many lines the standard output did not take. */
export function droppedLogLines(): number {
  return standardOutput?.dropped() ?? 0;
}

/** The fields of the list, and of those the numbers and texts: an object may hold anything. */
function allowed(fields: LogFields): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(fieldNames, name)) continue;
    if (typeof value === 'number') kept[name] = value;
    else if (typeof value === 'string') kept[name] = value.slice(0, maxCharacters);
    else if (Array.isArray(value)) kept[name] = value.map((item) => String(item).slice(0, maxCharacters));
  }
  return kept;
}

/** What the log may say of an unexpected error: its class, its code and where it arose, never its message. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const { code } = error as { code?: unknown };
  return { errorName: error.name, ...(typeof code === 'string' && { code }), frames: framesOf(error).slice(0, 8) };
}

/** What stands behind the message: a line of the message itself may look like a frame. None where the stack has another message. */
function framesOf({ stack = '', message }: Error): string[] {
  const behind = message === '' ? stack : stack.split(message).slice(1).join(message);
  const lines = behind.split('\n');
  return lines.filter((line) => /^\s+at /.test(line)).map((line) => line.trim());
}
