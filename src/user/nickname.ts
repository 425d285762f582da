import { z } from 'zod';
import { isOwnName, text } from './profile.ts';

/**
 * Invisible characters that change how a name reads or make two names look alike: format characters, bidirectional overrides
 * among them, and line breaks. Emoji and Persian need the joiners, and flags such as Scotland's the tags: these are allowed.
 * U+FFFD stands for bytes that were not UTF-8: the name would not come back as it was.
 */
const treacherous = /(?!\u200C|\u200D|[\u{E0020}-\u{E007F}])[\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u;

/** A nickname that the user typed, in NFC: it can be seen, and is not the name that WeChat gives to everybody. */
export const nickName = z
  .string()
  // Composing may make a text longer, up to three times: the exact bound comes after it.
  .max(4096)
  .transform((value) => value.normalize('NFC'))
  .pipe(text(1024).refine((value) => isOwnName(value) && !treacherous.test(value)));
