import { createHash } from 'node:crypto';
import { both, below, circle, type Colour, dark, paint } from './painting.ts';

interface Look {
  top: Colour;
  bottom: Colour;
  hair: Colour;
  shirt: Colour;
}

const looks: readonly [Look, ...Look[]] = [
  { top: [110, 231, 183], bottom: [16, 160, 110], hair: [60, 48, 44], shirt: [255, 255, 255] },
  { top: [251, 207, 232], bottom: [219, 72, 145], hair: [92, 51, 40], shirt: [255, 243, 205] },
  { top: [191, 219, 254], bottom: [59, 110, 230], hair: [40, 40, 52], shirt: [252, 211, 77] },
  { top: [253, 230, 138], bottom: [222, 130, 20], hair: [70, 60, 56], shirt: [56, 132, 122] },
];

const portraits = new Map<Look, Promise<string>>();

/** The picture that somebody has in WeChat: their real one is out of reach here. Always the same for the same name. */
export function portraitOf(user: string): Promise<string> {
  // The byte by which the preview's own people all look different.
  const [look = looks[0]] = looks.slice((createHash('sha256').update(user).digest()[5] ?? 0) % looks.length);
  const portrait = portraits.get(look) ?? paintPortrait(look);
  portraits.set(look, portrait);
  return portrait;
}

function paintPortrait({ top, bottom, hair, shirt }: Look): Promise<string> {
  return paint(top, bottom, [
    [circle(128, 272, 92), shirt],
    [circle(128, 96, 66), hair],
    [
      both(
        circle(128, 118, 58),
        below((x) => 92 + (x - 128) / 6),
      ),
      [255, 219, 190],
    ],
    [circle(108, 122, 6), dark],
    [circle(148, 122, 6), dark],
    [
      both(
        circle(128, 136, 18),
        below(() => 144),
      ),
      [214, 90, 80],
    ],
  ]);
}
