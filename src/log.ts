import { pino } from 'pino';

/**
 * The only fields that a log line may have. There is no room for a body, a header, an URL or an error's message,
 * where keys, codes and tokens would be.
 */
export interface LogFields {
  requestId?: string;
  /** `auth.login`; a path that is no procedure's is not logged. */
  procedure?: string;
  reason?: string;
  durationMs?: number;
  status?: number;
  /** A driver's or Node's error code, such as ECONNREFUSED. */
  code?: string;
  errno?: number;
  /** WeChat's own, and the id that its support asks for. */
  errcode?: number;
  rid?: string;
  appId?: string;
  /** Which part of a profile's proof failed: for the operator only, the caller gets one answer for all. */
  check?: string;
  errorName?: string;
  /** The frames of a stack, without the message above them. */
  frames?: readonly string[];
  url?: string;
  count?: number;
}

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** JSON lines, on standard output unless they are to go elsewhere. */
export function createLog(level: LogLevel, destination: { write(line: string): void } = process.stdout): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** What may be said of an error nobody foresaw: its class, its code and where it arose, never its message. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const { code } = error as { code?: unknown };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    errorName: error.name,
    ...(typeof code === 'string' && { code }),
    frames: frames.slice(0, 8).map((line) => line.trim()),
  };
}
