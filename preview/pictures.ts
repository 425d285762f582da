import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { CompressOptions, Picture } from './native.ts';

type Colour = readonly [red: number, green: number, blue: number];

/** How far a point is from the edge, in pixels; negative inside. */
type Shape = (x: number, y: number) => number;

const size = 256;

const circle =
  (centreX: number, centreY: number, radius: number): Shape =>
  (x, y) =>
    Math.hypot(x - centreX, y - centreY) - radius;
/** Everything below a line, which may be curved. */
const below =
  (line: (x: number) => number): Shape =>
  (x, y) =>
    line(x) - y;
const both =
  (one: Shape, other: Shape): Shape =>
  (x, y) =>
    Math.max(one(x, y), other(x, y));
const peak = (centreX: number, top: number, slope: number) => (x: number) => top + Math.abs(x - centreX) * slope;

/** A PNG as a `data:` URL: shapes over each other, on colours that run from top to bottom. */
async function paint(top: Colour, bottom: Colour, layers: ReadonlyArray<[Shape, Colour]>): Promise<string> {
  const pixels = Buffer.alloc(size * size * 3);
  for (let at = 0; at < size * size; at += 1) {
    const [x, y] = [at % size, Math.floor(at / size)];
    let colour = blend(top, bottom, y / size);
    for (const [shape, paint] of layers) {
      const cover = 0.5 - shape(x, y);
      if (cover > 0) colour = blend(colour, paint, Math.min(1, cover));
    }
    pixels.set(colour, at * 3);
  }
  const png = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

function blend(from: Colour, to: Colour, share: number): Colour {
  const [red, green, blue] = from.map((value, index) => value + ((to[index] ?? 0) - value) * share);
  return [red ?? 0, green ?? 0, blue ?? 0];
}

const white: Colour = [255, 255, 255];
const dark: Colour = [52, 46, 46];

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

let painted: Promise<Picture[]> | undefined;

/** What is in everybody's album. */
export function album(): Promise<Picture[]> {
  painted ??= Promise.all([cat(), sunrise(), mountains()]);
  return painted;
}

async function cat(): Promise<Picture> {
  const orange: Colour = [245, 158, 66];
  const ear = (centreX: number): Shape => both(below(peak(centreX, 44, 2.1)), (_, y) => y - 110);
  const url = await paint(
    [186, 230, 253],
    [125, 196, 240],
    [
      [ear(86), orange],
      [ear(170), orange],
      [circle(128, 150, 84), orange],
      [circle(128, 184, 40), [255, 244, 228]],
      [circle(96, 138, 13), dark],
      [circle(160, 138, 13), dark],
      [circle(100, 133, 4), white],
      [circle(164, 133, 4), white],
      [circle(128, 168, 9), [232, 110, 110]],
    ],
  );
  return { name: '橘猫', url };
}

async function sunrise(): Promise<Picture> {
  const waves = (height: number, shift: number): Shape => below((x) => height + 5 * Math.sin((x + shift) / 17));
  const url = await paint(
    [76, 60, 140],
    [255, 176, 112],
    [
      [circle(128, 158, 52), [255, 236, 160]],
      [waves(160, 0), [70, 96, 170]],
      [waves(192, 30), [52, 76, 148]],
      [waves(224, 70), [38, 56, 120]],
    ],
  );
  return { name: '日出', url };
}

async function mountains(): Promise<Picture> {
  const jagged: Shape = (x, y) => y - 104 - 9 * Math.sin(x / 7);
  const url = await paint(
    [125, 190, 250],
    [224, 242, 254],
    [
      [circle(204, 54, 22), [255, 244, 190]],
      [below(peak(190, 96, 0.9)), [120, 146, 178]],
      [below(peak(104, 56, 1.05)), [82, 106, 140]],
      [both(below(peak(104, 56, 1.05)), jagged), white],
      [below((x) => 218 + 8 * Math.sin(x / 40)), [74, 140, 96]],
    ],
  );
  return { name: '雪山', url };
}

/** The bytes behind a `data:` URL of base64. */
export function bytesOf(url: string): Buffer {
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

/** As a phone does it: a JPEG, and never wider than it was. Rejects where there is no picture in it. */
export async function shrink({ url, quality, width }: CompressOptions): Promise<string> {
  const picture = sharp(bytesOf(url)).autoOrient();
  if (width !== undefined) picture.resize({ width, withoutEnlargement: true });
  const jpeg = await picture.jpeg({ quality: Math.max(1, quality) }).toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
