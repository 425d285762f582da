import sharp from 'sharp';
import type { CompressOptions } from '../native.ts';
import { bytesOf } from './data-url.ts';

/** As a phone does it: a JPEG, and never wider than it was. Rejects where there is no picture in it. */
export async function shrink({ url, quality, width }: CompressOptions): Promise<string> {
  const picture = sharp(bytesOf(url)).autoOrient();
  if (width !== undefined) picture.resize({ width, withoutEnlargement: true });
  const jpeg = await picture.jpeg({ quality: Math.max(1, quality) }).toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
