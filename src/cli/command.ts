import { ConfigError } from '../config.ts';
import { describeError } from '../operations/log.ts';
import { StoreError } from '../store/store.ts';

/** A command that was called wrongly: its message is what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** 2: the call is wrong. 1: it cannot be done as things are. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a command of the operator's. Its failure is told in words of ours, which hold no secret, and ends it with 1, a wrong call with 2. */
export async function runCommand(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = error instanceof UsageError ? error.exitCode : isWrongCall(error) ? 2 : 1;
    process.stderr.write(`${explain(error)}\n`);
  }
}

function isWrongCall(error: unknown): boolean {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS_');
}

function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof ConfigError) return error.message;
  if (error instanceof StoreError) return `It failed: ${error.message}`;
  const { errorName, code, frames } = describeError(error);
  const { path } = Object(error) as { path?: string };
  if (path !== undefined && ['EACCES', 'EPERM', 'EROFS'].includes(code ?? '')) {
    return `It failed: it may not read or write ${path} (${code}).`;
  }
  // parseArgs quotes what it does not understand, which may be a URL with a password.
  if (isWrongCall(error)) return 'There is no such option or argument here, or one lacks its value: see --help.';
  return ['It failed with an unexpected error:', errorName, code, ...(frames ?? [])].filter(Boolean).join('\n  ');
}
