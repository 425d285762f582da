import { z } from 'zod';
import { isOwnName, text } from './profile.ts';

/**
 * What nobody sees but what changes how a name reads, or makes two names look alike: format characters, bidirectional
 * overrides among them, and line breaks. Left alone are those that emoji and Persian are made of: the joiners, and the
 * tags of flags such as Scotland's. U+FFFD is what became of bytes that were no UTF-8: the name would not come back as it was.
 */
const treacherous = /(?!\u200C|\u200D|[\u{E0020}-\u{E007F}])[\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u;

/** A nickname as the user typed it: NFC, and one that can be seen. WeChat's name for everybody is no one's own. */
export const nickName = z
  .string()
  // Composing may make a text longer, up to three times: the exact bound comes after it.
  .max(4096)
  .transform((value) => value.normalize('NFC'))
  .pipe(text(1024).refine((value) => isOwnName(value) && !treacherous.test(value)));
