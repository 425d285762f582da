import { UsageError } from './command.ts';

/** The languages that a command speaks to its user. */
export type Language = 'en' | 'zh';

/** What `--lang` says, else what the environment says; English where neither names Chinese. */
export function chooseLanguage(
  wanted: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  // Windows sets none of the three variables.
  systemLocale = Intl.DateTimeFormat().resolvedOptions().locale,
): Language {
  if (wanted === 'en' || wanted === 'zh') return wanted;
  if (wanted !== undefined) throw new UsageError('--lang is zh or en.');
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || systemLocale;
  return /^zh(?![a-z])/i.test(locale) ? 'zh' : 'en';
}
