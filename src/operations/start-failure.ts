import { ConfigError } from '../config.ts';
import { describeError } from './log.ts';
import { StoreError } from '../store/store.ts';

/** Why the server did not start, in chosen words: an error's own could hold a password. */
export function explainStartFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof StoreError) {
    const { explanation, code, message } = error;
    if (explanation !== undefined) return `The server did not start: ${explanation} (${code}).`;
    return `The server did not start: ${message}. See DATABASE_URL, and the rights of its user.`;
  }
  const { errorName, code, frames } = describeError(error);
  // Only Node's own errors have these fields, and they hold no secret.
  const { port, address, path } = Object(error) as { port?: number; address?: string; path?: string };
  const where = `${address}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `The server did not start: something listens on ${where} already. Set PORT or METRICS_PORT to a free port.`;
    case 'EADDRNOTAVAIL':
      return `The server did not start: ${address} is not an address of this machine. Set HOST to one that is, or to 0.0.0.0 or :: for all.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'The server did not start: HOST is a name that cannot be resolved. Set it to an address of this machine, such as 127.0.0.1, or 0.0.0.0 or :: for all.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return path === undefined
        ? `The server did not start: it may not listen on ${where}. Ports below 1024 need a privilege; see PORT.`
        : `The server did not start: it may not read or write ${path} (${code}).`;
    default:
      return ['The server did not start:', errorName, code, ...(frames ?? [])].filter(Boolean).join('\n  ');
  }
}
