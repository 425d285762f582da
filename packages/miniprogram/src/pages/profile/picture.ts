/** What the backend takes with room for the rest of the request, in characters of base64: a picture of 375 KB. */
const maxBase64 = 500_000;

/** An avatar is shown small, so this is plenty. */
const width = 512;

/** The picture cannot be sent; the message tells which way. */
export class PictureError extends Error {
  readonly kind: 'too-large' | 'unreadable';

  constructor(kind: PictureError['kind']) {
    super(`The picture is ${kind}`);
    this.kind = kind;
  }
}

/** The picture at a temporary path as base64, made smaller where it is too large. Rejects with a PictureError. */
export async function readPicture(path: string): Promise<string> {
  const base64 = await read(path);
  if (base64.length <= maxBase64) return base64;
  const smaller = await read(await compress(path));
  if (smaller.length > maxBase64) throw new PictureError('too-large');
  return smaller;
}

function read(filePath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    wx.getFileSystemManager().readFile({
      filePath,
      encoding: 'base64',
      // With an encoding it is text.
      success: ({ data }) => resolve(data as string),
      fail: () => reject(new PictureError('unreadable')),
    });
  });
}

/** Before base library 2.26.0 WeChat ignores the width, so the picture may stay too large. */
function compress(src: string): Promise<string> {
  return new Promise((resolve, reject) => {
    wx.compressImage({
      src,
      quality: 80,
      compressedWidth: width,
      success: ({ tempFilePath }) => resolve(tempFilePath),
      fail: () => reject(new PictureError('too-large')),
    });
  });
}
