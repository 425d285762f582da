/** The size of a picture as its header has it, read before anything is decoded. */
export interface PictureHeader {
  width: number;
  height: number;
  /** How much memory a decoder may want for it: all of the picture, where it cannot work line by line. */
  decoderBytes: number;
}

/**
 * Reads the header of a JPEG, PNG, GIF or WebP, told by its content. null for everything else, and for kinds of JPEG
 * that no browser shows: a file of an unknown kind never reaches a decoder.
 */
export function readPictureHeader(bytes: Buffer): PictureHeader | null {
  const start = bytes.subarray(0, 16).toString('latin1');
  try {
    if (start.startsWith('\x89PNG\r\n\x1a\n\0\0\0\rIHDR')) return readPng(bytes);
    if (start.startsWith('\xff\xd8\xff')) return readJpeg(bytes);
    if (/^GIF8[79]a/.test(start)) return readGif(bytes);
    if (/^RIFF[^]{4}WEBPVP8[ LX]$/.test(start)) return readWebp(bytes);
  } catch (error) {
    // The file ends within its header.
    if (!(error instanceof RangeError)) throw error;
  }
  return null;
}

/** By colour type: grey, colours, palette, grey with alpha, colours with alpha. */
const pngChannels = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);

function readPng(bytes: Buffer): PictureHeader | null {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [bits, isInterlaced] = [bytes.readUInt8(24), bytes.readUInt8(28) !== 0];
  const channels = pngChannels.get(bytes.readUInt8(25));
  if (channels === undefined) return null;
  const allBytes = (width * height * channels * bits) / 8;
  return { width, height, decoderBytes: isInterlaced ? allBytes : allBytes / 2 };
}

function readGif(bytes: Buffer): PictureHeader {
  const [width, height] = [bytes.readUInt16LE(6), bytes.readUInt16LE(8)];
  return { width, height, decoderBytes: width * height * 4 };
}

function readWebp(bytes: Buffer): PictureHeader | null {
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1, decoderBytes: 0 };
    case 'VP8L': {
      const sizes = bytes.readUInt32LE(21);
      return { width: (sizes & 0x3fff) + 1, height: ((sizes >> 14) & 0x3fff) + 1, decoderBytes: 0 };
    }
    default:
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff, decoderBytes: 0 };
  }
}

/** Encoders make ten scans of a progressive picture; a hostile one has many, each of the whole picture in a few bytes. */
const maxScans = 24;

/** Reads markers as the decoder does: phones leave bytes between them. */
function readJpeg(bytes: Buffer): PictureHeader | null {
  let header: PictureHeader | null = null;
  let scans = 0;
  for (let at = nextMarker(bytes, 2); at + 4 <= bytes.length;) {
    const marker = bytes.readUInt8(at + 1);
    // The end marker: a decoder reads nothing after it.
    if (marker === 0xd9) break;
    // A second beginning.
    if (marker === 0xd8) return null;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (header || marker > 0xc2) return null;
      header = readFrame(bytes, at, marker === 0xc2);
    }
    if (marker === 0xda) scans += 1;
    if (scans > maxScans) return null;
    at = nextMarker(bytes, at + 2 + bytes.readUInt16BE(at + 2));
  }
  return header;
}

function readFrame(bytes: Buffer, at: number, isProgressive: boolean): PictureHeader {
  const [height, width, components] = [bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7), bytes.readUInt8(at + 9)];
  const factors = Array.from({ length: components }, (_, index) => bytes.readUInt8(at + 11 + 3 * index));
  const samples = factors.map((factor) => (factor >> 4) * (factor & 15));
  // Coefficients of two bytes, of the components at their own resolutions; the first one's is as a rule the highest.
  const perPixel = (2 * samples.reduce((sum, sample) => sum + sample, 0)) / Math.max(1, ...samples);
  return { width, height, decoderBytes: isProgressive ? width * height * perPixel : 0 };
}

/** The next marker that has a segment or begins or ends a file: no stuffed byte, no fill byte, no restart. */
function nextMarker(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    const isAlone = next <= 1 || next === 0xff || (next >= 0xd0 && next <= 0xd7);
    if (!isAlone) return at;
  }
  return bytes.length;
}
