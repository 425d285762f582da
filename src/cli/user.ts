import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config.ts';
import { keyringOf } from '../operations/keyring-file.ts';
import { createLog } from '../operations/log.ts';
import { createUserActs, type PersonSelector, userActs } from '../operations/user-acts.ts';
import { openStore } from '../store/open.ts';
import type { OnUserDeleted } from '../user/erasure.ts';
import { createPhoneNumbers } from '../user/phone.ts';
import { UsageError } from './command.ts';

const options = {
  openid: { type: 'string' },
  'union-id': { type: 'string' },
  phone: { type: 'string' },
  reason: { type: 'string' },
  reveal: { type: 'boolean' },
  yes: { type: 'boolean' },
  hook: { type: 'string' },
} as const;

/** `guoke user`: shows, exports, deletes, signs out, blocks and unblocks a person. See docs/privacy.md. */
export async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [name, ...rest] = positionals;
  const act = userActs.find((each) => each === name);
  if (rest.length > 0 || (act === undefined && name !== 'show' && name !== 'export')) {
    throw new UsageError('Say what to do: show, export, delete, sign-out, block or unblock. See guoke user --help.');
  }
  const selector = selectorOf(values);
  const { reason = '' } = values;
  if (act !== undefined && reason.trim() === '')
    throw new UsageError('Say why: --reason <text>. It stands in the log.');

  const onUserDeleted = values.hook === undefined ? () => {} : await loadHook(values.hook);
  const { settings, secrets } = loadConfig(process.env);
  const { databaseUrl } = secrets;
  const phoneNumbers = createPhoneNumbers(await keyringOf(secrets));
  const store = await openStore({ databaseUrl, timeoutMs: settings.databaseTimeoutMs, poolSize: 1 });
  try {
    // What is shown goes to standard output, and nothing else: it may be written into a file.
    const log = createLog('info', process.stderr);
    const acts = createUserActs({ store, phoneNumbers, onUserDeleted, log });
    const users = await acts.find(selector);
    if (users.length === 0) throw new UsageError('There is no such user.', 1);
    if (act === undefined) {
      const shown = await Promise.all(users.map((user) => acts.show(user, { reveal: values.reveal ?? false })));
      const printed =
        name === 'export' ? shown : shown.map((data) => data && { ...data.user, sessions: data.sessions.length });
      process.stdout.write(`${toPrintableJson(printed)}\n`);
      return;
    }
    const [user, ...others] = users;
    if (!user || others.length > 0) {
      const openIds = users.map(({ openId, appId }) => `  --openid ${openId}  (${appId})`);
      throw new UsageError(['There are several users of this person: name one.', ...openIds].join('\n'), 1);
    }
    if (act === 'delete' && !values.yes) await confirm(user.openId);
    process.stdout.write(`${user.openId}: ${await acts.act(act, user, reason)}.\n`);
  } finally {
    await store.close();
  }
}

/** JSON leaves C1 controls and the overrides of a text's direction as they are: a terminal would obey those of a nickname. */
function toPrintableJson(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\p{Bidi_Control}]/gu, escaped);
}

function selectorOf(values: { openid?: string; 'union-id'?: string; phone?: string }): PersonSelector {
  const { openid, 'union-id': unionId, phone } = values;
  const given = [openid, unionId, phone].filter((value) => value !== undefined);
  if (given.length !== 1) throw new UsageError('Name one person: --openid <id>, --union-id <id> or --phone <number>');
  if (openid !== undefined) return { openId: openid };
  return unionId === undefined ? { phone: phone ?? '' } : { unionId };
}

async function confirm(openId: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError('There is no terminal to ask on: --yes deletes without asking.', 1);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Delete ${openId} for good, with sessions and picture? Type yes: `);
  terminal.close();
  if (answer.trim() !== 'yes') throw new UsageError('Nothing is deleted.', 1);
}

async function loadHook(file: string): Promise<OnUserDeleted> {
  const hooks: { onUserDeleted?: unknown } = await import(pathToFileURL(path.resolve(file)).href);
  const { onUserDeleted } = hooks;
  if (typeof onUserDeleted !== 'function') throw new UsageError(`${file} exports no function onUserDeleted.`, 1);
  return async (user) => {
    await onUserDeleted(user);
  };
}
