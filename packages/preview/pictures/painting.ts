import sharp from 'sharp';

/** Of 0 to 255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

/** How far a point is from the edge, in pixels; negative inside. */
export type Shape = (x: number, y: number) => number;

/** The side of a painting, which is square, in pixels. */
const size = 256;

/** Of eyes. */
export const dark: Colour = [52, 46, 46];

/** A disc. */
export const circle =
  (centreX: number, centreY: number, radius: number): Shape =>
  (x, y) =>
    Math.hypot(x - centreX, y - centreY) - radius;
/** Everything below a line, which may be curved. */
export const below =
  (line: (x: number) => number): Shape =>
  (x, y) =>
    line(x) - y;
/** What two shapes have in common. */
export const both =
  (one: Shape, other: Shape): Shape =>
  (x, y) =>
    Math.max(one(x, y), other(x, y));
/** The line of a mountain, for `below`. */
export const peak = (centreX: number, top: number, slope: number) => (x: number) => top + Math.abs(x - centreX) * slope;

/** A PNG as a `data:` URL: shapes over each other, on colours that run from top to bottom. */
export async function paint(top: Colour, bottom: Colour, layers: ReadonlyArray<[Shape, Colour]>): Promise<string> {
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
