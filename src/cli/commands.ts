export interface Command {
  /** What follows the name on the command line. */
  usage: string;
  summary: string;
  /** The options and what they do, a line each. */
  options?: readonly string[];
  /** Imported when the command runs: help loads nothing, and no command loads what only another one needs. */
  load(): Promise<{ run: (args: string[]) => Promise<void> }>;
}

/** Every command of `guoke`, in the order of its help. */
export const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries<Command>({
    start: {
      usage: '',
      summary: 'starts the server',
      load: () => import('./start.ts'),
    },
    migrate: {
      usage: '',
      summary: 'creates or updates the tables of DATABASE_URL',
      load: () => import('./migrate.ts'),
    },
    backup: {
      usage: '<file>',
      summary: 'writes the SQLite database of DATABASE_URL to a file while the server runs',
      load: () => import('./backup.ts'),
    },
    copy: {
      usage: '--to <url> [--show-secret]',
      summary: 'copies DATABASE_URL into an empty database, from SQLite to MySQL or back',
      options: [
        '--to <url>      the empty database; the variable DATABASE_URL_TO says the same',
        '--show-secret   prints the secret of the old database, not the name of its file',
      ],
      load: () => import('./copy.ts'),
    },
    adopt: {
      usage: '[--without-key] [--drop-old]',
      summary: "takes over the tutorial's gk_wx_user and seals the session keys in it",
      options: [
        '--without-key   takes over users who have no session key too',
        '--drop-old      drops the old table, which holds the session keys in clear',
      ],
      load: () => import('./adopt.ts'),
    },
    'rotate-keys': {
      usage: '',
      summary: 'seals every row with the first secret of SESSION_KEY_SECRETS',
      load: () => import('./rotate-keys.ts'),
    },
    user: {
      usage: '<act> --openid <id> | --union-id <id> | --phone <number>',
      summary: 'shows, exports, deletes, signs out, blocks or unblocks a person',
      options: [
        "show            what is stored about a person's users; numbers and names are masked",
        'export          the same with each session, for the person',
        'delete          deletes a user, their sessions and their picture; asks first, unless --yes',
        'sign-out        revokes every session of a user',
        "block           refuses a user's logins and tokens from now on, on every instance",
        'unblock         lets them in again',
        '--reason <text> why: it stands in the log; needed where something is changed',
        '--reveal        shows numbers and names in full',
        '--yes           deletes without asking',
        "--hook <file>   a module whose onUserDeleted deletes the user's rows in tables of your own",
      ],
      load: () => import('./user.ts'),
    },
    init: {
      usage: '<folder> [--lang zh|en]',
      summary: 'writes a small project with procedures of its own into an empty folder',
      options: ['--lang <zh|en>  the language of its README; without it that of LC_ALL, LC_MESSAGES or LANG'],
      load: () => import('./init.ts'),
    },
  }),
);

/** The help of `guoke` itself. */
export function overview(): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length));
  const lines = [...commands].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: guoke <command>\n\n${lines.join('\n')}\n\nguoke <command> --help says more.\n`;
}

/** The help of one command. */
export function helpOf(name: string, { usage, summary, options = [] }: Command): string {
  const lines = [...options, '--help          prints this and does nothing'].map((line) => `  ${line}`);
  return `Usage: guoke ${[name, usage].filter(Boolean).join(' ')}\n\nguoke ${name} ${summary}.\n\n${lines.join('\n')}\n`;
}
