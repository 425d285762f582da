import { randomBytes } from 'node:crypto';
import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** What a picture must not bring along. */
export const payload = '<script>EVIL</script>';

/** Pictures by name, which must be refused, be made clean, or either of the two. */
type Pictures = Record<string, Buffer>;

const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([latin1(type), data]);
  return Buffer.concat([u32(data.length), body, u32(crc32(body))]);
}

/** As many zeros as were asked for, give or take a few, deflated a thousandfold without ever being there. */
function deflatedZeros(length: number): Buffer {
  const step = 1024 * 1024;
  const block = deflateRawSync(Buffer.alloc(step), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const rest = deflateRawSync(Buffer.alloc(length % step), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const checksum = u32((((length % 65521) << 16) | 1) >>> 0);
  const blocks = Array.from({ length: Math.floor(length / step) }, () => block);
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...blocks, rest, Buffer.from([3, 0]), checksum]);
}

interface Png {
  bits?: number;
  colour?: number;
  interlaced?: boolean;
  chunks?: readonly Buffer[];
  /** How many bytes of pixels there really are. */
  bytes?: number;
}

function png(width: number, height: number, options: Png = {}): Buffer {
  const { bits = 8, colour = 6, interlaced = false, chunks = [] } = options;
  const channels = [1, 0, 3, 1, 2, 0, 4][colour] ?? 0;
  const { bytes = (Math.ceil((width * channels * bits) / 8) + 1) * height + (interlaced ? 4 * height : 0) } = options;
  return Buffer.concat([
    latin1('\x89PNG\r\n\x1a\n'),
    chunk('IHDR', Buffer.concat([u32(width), u32(height), Buffer.from([bits, colour, 0, 0, interlaced ? 1 : 0])])),
    ...chunks,
    chunk('IDAT', deflatedZeros(bytes)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function gif(width: number, height: number, frames: number, frameSize: readonly [number, number] = [1, 1]): Buffer {
  const le = (value: number) => Buffer.from([value & 255, value >> 8]);
  const frame = Buffer.concat([
    Buffer.from([0x21, 0xf9, 4, 0, 1, 0, 0, 0, 0x2c, 0, 0, 0, 0]),
    le(frameSize[0]),
    le(frameSize[1]),
    Buffer.from([0, 2, 2, 0x44, 1, 0]),
  ]);
  const colours = Buffer.from([0x80, 0, 0, 255, 0, 0, 0, 0, 255]);
  const many = Array.from({ length: frames }, () => frame);
  return Buffer.concat([latin1('GIF89a'), le(width), le(height), colours, ...many, Buffer.from([0x3b])]);
}

/** A grey progressive JPEG of which every scan covers the whole picture, and but the first weigh next to nothing. */
function scanBomb(size: number, scans: number): Buffer {
  const blocks = Math.ceil(size / 8) ** 2;
  const segment = (marker: number, data: Buffer) =>
    Buffer.concat([Buffer.from([0xff, marker]), u16(data.length + 2), data]);
  const oneCode = (table: number, symbol: number) =>
    segment(0xc4, Buffer.from([table, 1, ...Array.from({ length: 15 }, () => 0), symbol]));
  // The code of one bit, 0, then 14 bits that lengthen the run of empty blocks from 16384 to 32767.
  let bits = '';
  for (let left = blocks; left > 0; left -= 32767) {
    bits += `0${(Math.min(left, 32767) - 16384 < 0 ? 0 : Math.min(left, 32767) - 16384).toString(2).padStart(14, '0')}`;
  }
  const runs = (bits.padEnd(Math.ceil(bits.length / 8) * 8, '1').match(/.{8}/g) ?? []).flatMap((byte) =>
    byte === '11111111' ? [255, 0] : [Number.parseInt(byte, 2)],
  );
  const ac = Array.from({ length: scans - 1 }, (_, index) =>
    Buffer.concat([segment(0xda, Buffer.from([1, 1, 0, 1 + index, 1 + index, 0])), Buffer.from(runs)]),
  );
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, Buffer.from([0, ...Array.from({ length: 64 }, () => 1)])),
    segment(0xc2, Buffer.concat([Buffer.from([8]), u16(size), u16(size), Buffer.from([1, 1, 0x11, 0])])),
    oneCode(0x00, 0),
    oneCode(0x10, 0xe0),
    segment(0xda, Buffer.from([1, 1, 0, 0, 0, 0])),
    Buffer.alloc(Math.ceil(blocks / 8)),
    ...ac,
    Buffer.from([0xff, 0xd9]),
  ]);
}

/** A copy with other bytes at a place. */
function patched(bytes: Buffer, at: number, ...others: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(others, at);
  return copy;
}

/** Where the frame header of a JPEG begins. */
const frameOf = (jpeg: Buffer) =>
  Math.max(jpeg.indexOf('\xff\xc0', 0, 'latin1'), jpeg.indexOf('\xff\xc2', 0, 'latin1'));

const plain = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: '#08f', noise: { type: 'gaussian', mean: 128, sigma: 30 } },
  });

/** Red above, blue below, as the camera saw it lying on its side; and where it was taken. */
export async function sidewaysJpeg(): Promise<Buffer> {
  const top = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#f00' } })
    .png()
    .toBuffer();
  return await sharp({ create: { width: 64, height: 64, channels: 3, background: '#00f' } })
    .composite([{ input: top, top: 0, left: 0 }])
    .withMetadata({ orientation: 6 })
    .withExifMerge({ IFD0: { Copyright: payload }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '23/1 8/1 0/1' } })
    .jpeg({ quality: 95 })
    .toBuffer();
}

function filmOf(frames: number) {
  return sharp(
    Buffer.alloc(32 * 32 * frames * 3).map((_, index) => (Math.floor(index / 3072) * 37) % 256),
    {
      raw: { width: 32, height: 32 * frames, channels: 3, pageHeight: 32 },
    },
  );
}

export async function hostilePictures(): Promise<{ refused: Pictures; cleaned: Pictures; either: Pictures }> {
  const jpeg = await plain(400, 300).jpeg().toBuffer();
  const progressive = await plain(400, 300).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer();
  const webp = await plain(400, 300).webp().toBuffer();
  const lossless = await plain(40, 30).webp({ lossless: true }).toBuffer();
  const film = await filmOf(100).webp({ loop: 0 }).toBuffer();
  const small = await plain(100, 75).png().toBuffer();
  const [frame, progressiveFrame] = [frameOf(jpeg), frameOf(progressive)];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${payload}</svg>`;
  const truncated = Object.entries({ jpeg, png: small, webp, progressive }).flatMap(([name, bytes]) =>
    [0.01, 0.1, 0.3, 0.5, 0.7, 0.9].map(
      (part) => [`${name} cut at ${part}`, bytes.subarray(0, bytes.length * part)] as const,
    ),
  );

  return {
    refused: {
      nothing: Buffer.alloc(1),
      'a JPEG of its magic alone': Buffer.from([0xff, 0xd8, 0xff]),
      zeros: Buffer.alloc(1000),
      noise: randomBytes(100_000),
      'noise after the magic of PNG': Buffer.concat([small.subarray(0, 16), randomBytes(10_000)]),
      'noise after the magic of JPEG': Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(10_000)]),
      'noise after the magic of GIF': Buffer.concat([latin1('GIF89a'), randomBytes(10_000)]),
      'noise after the magic of WebP': Buffer.concat([webp.subarray(0, 16), randomBytes(10_000)]),
      ...Object.fromEntries(truncated),
      'SVG with a script': latin1(svg),
      'SVG with a declaration': latin1(`<?xml version="1.0"?>${svg}`),
      'SVG behind a BOM': latin1(`\xef\xbb\xbf${svg}`),
      HTML: latin1(`<!doctype html>${payload}`),
      PDF: latin1('%PDF-1.7\n1 0 obj\n'),
      TIFF: await plain(9, 9).tiff().toBuffer(),
      'TIFF, big-endian': latin1('MM\0*\0\0\0\x08\0\0'),
      HEIC: latin1('\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
      AVIF: await plain(64, 64).avif({ effort: 0 }).toBuffer(),
      'JPEG 2000': latin1('\0\0\0\x0cjP  \r\n\x87\n'),
      'JPEG XL': latin1('\0\0\0\x0cJXL \r\n\x87\n'),
      BMP: latin1(`BM${'\0'.repeat(60)}`),
      ICO: latin1(`\0\0\x01\0\x01\0${'\0'.repeat(60)}`),
      PPM: latin1('P6\n2 2\n255\n123456789012'),
      Radiance: latin1('#?RADIANCE\n'),
      "libvips' own": latin1(`\x08\xf2\xa6\xb6${'\0'.repeat(64)}`),
      ZIP: latin1('PK\x03\x04'),
      MP4: latin1('\0\0\0\x18ftypmp42'),
      'PNG 10000×10000 in one colour': png(10_000, 10_000, { colour: 0 }),
      'PNG 10000×10000 in one bit': png(10_000, 10_000, { colour: 0, bits: 1 }),
      'PNG of 2 GP on a side': png(0x7fff_ffff, 0x7fff_ffff, { bytes: 1000 }),
      'PNG without a width': png(0, 100),
      'PNG with less pixels than it says': png(2000, 2000, { bytes: 1000 }),
      'PNG of an unknown colour type': patched(small, 25, 7),
      'PNG of 200 MB': png(4999, 5000, { bits: 16 }),
      'PNG interlaced, 200 MB': png(4999, 5000, { bits: 16, interlaced: true }),
      'JPEG of 65500×65500': patched(jpeg, frame + 5, 0xff, 0xdc, 0xff, 0xdc),
      'JPEG without a height': patched(jpeg, frame + 5, 0, 0),
      'JPEG with arithmetic coding': patched(jpeg, frame + 1, 0xc9),
      'JPEG, lossless': patched(jpeg, frame + 1, 0xc3),
      'JPEG with two frames': Buffer.concat([jpeg.subarray(0, frame + 19), jpeg.subarray(frame)]),
      'JPEG, progressive, 150 MB': patched(progressive, progressiveFrame + 5, 0x13, 0x88, 0x13, 0x88),
      'JPEG of 63 scans': scanBomb(4480, 63),
      'GIF with a huge canvas': gif(65_535, 65_535, 1),
      'GIF with a huge canvas and many frames': gif(65_535, 65_535, 1000),
      'GIF whose frame is larger than its canvas': gif(1, 1, 1, [60_000, 60_000]),
      'GIF without a frame': gif(10, 10, 0),
      'GIF for a script engine': latin1(`GIF89a/*${'\0'.repeat(8)}*/=1;${payload}`),
      'WebP of 16384×16384': patched(film, 24, 0xff, 0x3f, 0, 0xff, 0x3f, 0),
      'WebP whose canvas is not its picture': patched(lossless, 22, 0xff, 0xff, 0xff, 0x0f),
      'SVG called WebP': latin1(`RIFF\0\0\0\0WEBP${svg}`),
    },
    cleaned: {
      'JPEG lying on its side, with the place': await sidewaysJpeg(),
      'JPEG with a script behind it': Buffer.concat([jpeg, latin1(payload)]),
      'JPEG with an archive behind it': Buffer.concat([jpeg, latin1(`PK\x03\x04${payload}`)]),
      'JPEG with a script in a comment': Buffer.concat([
        jpeg.subarray(0, 2),
        Buffer.from([0xff, 0xfe]),
        u16(payload.length + 2),
        latin1(payload),
        jpeg.subarray(2),
      ]),
      'JPEG for print': await plain(64, 64).toColourspace('cmyk').jpeg().toBuffer(),
      'PNG with a page behind it': Buffer.concat([small, latin1(payload)]),
      'PNG with a giant text': Buffer.concat([
        small.subarray(0, 33),
        chunk('tEXt', latin1(`Comment\0${payload.repeat(14_000)}`)),
        small.subarray(33),
      ]),
      'PNG of one pixel': png(1, 1),
      'GIF of 1000 frames': gif(64, 64, 1000, [1, 1]),
      'GIF with a page behind it': Buffer.concat([gif(8, 8, 1), latin1(payload)]),
      'GIF from an encoder, 50 frames': await filmOf(50).gif().toBuffer(),
      'WebP of 100 frames': film,
      'WebP with a script behind it': Buffer.concat([webp, latin1(payload)]),
      'PNG 3 × 8000': await plain(3, 8000).png().toBuffer(),
    },
    either: {
      'PNG with a bomb for a text': Buffer.concat([
        small.subarray(0, 33),
        chunk('zTXt', Buffer.concat([latin1('Comment\0\0'), deflatedZeros(300_000_000)])),
        small.subarray(33),
      ]),
      'PNG with a bomb for a colour profile': Buffer.concat([
        small.subarray(0, 33),
        chunk('iCCP', Buffer.concat([latin1('x\0\0'), deflatedZeros(300_000_000)])),
        small.subarray(33),
      ]),
      'PNG of 80 MB, line by line': png(3200, 3200, { bits: 16 }),
      'PNG of 25 MP, line by line': png(4999, 5000, { colour: 2 }),
      'PNG of 80 MB that lies on its side': png(3200, 3200, {
        bits: 16,
        chunks: [chunk('eXIf', Buffer.from('49492a00080000000100120103000100000006000000000000000000', 'hex'))],
      }),
      'PNG interlaced, 40 MB': png(3200, 3200, { interlaced: true }),
      'JPEG of 24 scans, 20 MP': scanBomb(4480, 24),
      'GIF of 10 MP': await sharp({ create: { width: 3200, height: 3200, channels: 3, background: '#f00' } })
        .gif({ effort: 1 })
        .toBuffer(),
      'WebP of 25 MP': await sharp({ create: { width: 5000, height: 4999, channels: 4, background: '#f008' } })
        .webp({ lossless: true, effort: 0 })
        .toBuffer(),
      'PNG with a wrong checksum': patched(small, small.length - 16, 1, 2, 3, 4),
      'deflated PNG of noise': Buffer.concat([
        small.subarray(0, 33),
        chunk('IDAT', deflateSync(randomBytes(300_000))),
        chunk('IEND', Buffer.alloc(0)),
      ]),
    },
  };
}
