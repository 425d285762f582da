import { hash } from 'node:crypto';
import type { Sharp, SharpOptions } from 'sharp';
import { AppError } from '../errors.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import { createSerialQueue } from '../limits/serial-queue.ts';
import { readPictureHeader } from './picture-header.ts';

/** Makes avatars of the pictures that phones send. */
export interface Pictures {
  /**
   * A new picture, 256×256 WebP, with nothing of the sent file but what is seen in it. Rejects with AppError:
   * INPUT_INVALID (`avatar`) for bytes that are not a JPEG, PNG, GIF or WebP, are too large or take too long,
   * RATE_LIMITED when too many pictures wait, or too many came from this user.
   */
  toAvatar(picture: Buffer, sender: { openId: string; now: number }): Promise<{ hash: Buffer; bytes: Buffer }>;
  /** An avatar of ours as JPEG, for those that take no WebP. */
  toJpeg(avatar: Buffer): Promise<Buffer>;
}

const size = 256;
const maxPixels = 25_000_000;
const maxDecoderBytes = 40 * 1024 * 1024;
/** For the caller; the decoder gives up a little later. */
const maxWorkMs = 900;
const maxDecoderSeconds = 1;

/** sharp's names for the only decoders that may ever run. */
const decoders = ['Jpeg', 'Png', 'Webp', 'Nsgif'].map((kind) => `VipsForeignLoad${kind}Buffer`);

type Decode = (picture: Buffer, options: SharpOptions) => Sharp;

/** Loaded with the first picture: most processes see none for long, and the library takes some 20 MB. */
async function loadDecoder(): Promise<Decode> {
  const { default: sharp } = await import('sharp');
  sharp.concurrency(1);
  sharp.cache(false);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: decoders });
  return sharp;
}

/**
 * Decodes one picture at a time, so that hostile ones do not add up in memory. `limit` counts by openid: each picture may
 * become a row in the database, which stays there for an hour.
 */
export function createPictures({ limit }: { limit: RateLimiter }): Pictures {
  let decoder: Promise<Decode> | undefined;
  const queue = createSerialQueue({ maxWorkMs, fullError, lateError: () => refused('TIME') });

  return {
    async toAvatar(picture, { openId, now }) {
      const waitSeconds = limit.take(openId, now);
      if (waitSeconds > 0) throw new AppError('RATE_LIMITED', { retryAfterSeconds: waitSeconds });
      const header = readPictureHeader(picture);
      if (!header) throw refused('KIND');
      const { width, height, decoderBytes } = header;
      if (width * height === 0 || width * height > maxPixels || decoderBytes > maxDecoderBytes) throw refused('SIZE');
      decoder ??= loadDecoder();
      const decode = await decoder;
      const bytes = await queue.run(openId, () => encode(decode, picture, header));
      return { hash: hash('sha256', bytes, 'buffer'), bytes };
    },
    async toJpeg(avatar) {
      decoder ??= loadDecoder();
      const decode = await decoder;
      return await decode(avatar, { limitInputPixels: size * size })
        .flatten({ background: '#fff' })
        .jpeg()
        .toBuffer();
    },
  };
}

async function encode(
  decode: Decode,
  picture: Buffer,
  { width, height }: { width: number; height: number },
): Promise<Buffer> {
  // Colour profiles are left alone: one more parser for a difference that an avatar does not show. Of what phones really
  // make the decoder only warns, such as a scan header of Samsung's; a file that is cut off is an error.
  const input = { limitInputPixels: maxPixels, failOn: 'error', pages: 1, ignoreIcc: true } as const;
  try {
    const seen = await decode(picture, input).metadata();
    // A header that the decoder reads differently from us was made to pass the check of its size.
    if (seen.width !== width || (seen.pageHeight ?? seen.height) !== height) throw refused('HEADER');
    return await decode(picture, input)
      .timeout({ seconds: maxDecoderSeconds })
      .autoOrient()
      .resize(size, size, { fit: 'cover' })
      .webp({ quality: 82 })
      .toBuffer();
  } catch (error) {
    // sharp's messages describe the file: they do not go on.
    throw error instanceof AppError ? error : refused('DECODER');
  }
}

/** `code` is for the log; the caller learns only that it is the avatar. */
function refused(code: string): AppError {
  return new AppError('INPUT_INVALID', { fields: ['avatar'], detail: { code: `AVATAR_${code}` } });
}

function fullError(): AppError {
  return new AppError('RATE_LIMITED', { retryAfterSeconds: 1, detail: { code: 'PICTURES_QUEUED' } });
}
