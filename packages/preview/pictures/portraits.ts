import { createHash } from 'node:crypto';
import { both, below, circle, type Colour, dark, paint } from './painting.ts';

interface Look {
  top: Colour;
  bottom: Colour;
  hair: Colour;
  shirt: Colour;
}

const looks: Readonly<Record<string, Look>> & { ajie: Look } = {
  ajie: { top: [110, 231, 183], bottom: [16, 160, 110], hair: [60, 48, 44], shirt: [255, 255, 255] },
  lingling: { top: [251, 207, 232], bottom: [219, 72, 145], hair: [92, 51, 40], shirt: [255, 243, 205] },
  laozhou: { top: [191, 219, 254], bottom: [59, 110, 230], hair: [158, 162, 172], shirt: [252, 211, 77] },
  ningmeng: { top: [253, 240, 150], bottom: [236, 190, 20], hair: [70, 60, 56], shirt: [56, 132, 122] },
  xiaoming: { top: [221, 214, 254], bottom: [124, 92, 220], hair: [34, 30, 32], shirt: [248, 113, 90] },
};

const portraits = new Map<Look, Promise<string>>();
let grey: Promise<string> | undefined;

/** A person's picture in WeChat, invented here. The same name always gets the same picture. */
export function portraitOf(user: string): Promise<string> {
  if (user === 'anonymous') return (grey ??= paintSilhouette());
  const look = lookOf(user);
  const portrait = portraits.get(look) ?? paintPortrait(look);
  portraits.set(look, portrait);
  return portrait;
}

/** As the stand-in names people: `xiaoming-2` looks like `xiaoming`. Anybody else gets one of the same five. */
function lookOf(user: string): Look {
  const others = Object.values(looks);
  const place = (createHash('sha256').update(user).digest()[0] ?? 0) % others.length;
  return looks[user.split('-', 1)[0] ?? ''] ?? others[place] ?? looks.ajie;
}

/** WeChat's own picture of a person of whom it says nothing. */
function paintSilhouette(): Promise<string> {
  const light: Colour = [240, 240, 240];
  return paint(
    [204, 204, 204],
    [204, 204, 204],
    [
      [circle(128, 104, 50), light],
      [circle(128, 262, 96), light],
    ],
  );
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
