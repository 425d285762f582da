/** What fits into a call of every transport: `wx.cloud.callContainer` takes 100 KB, of which this leaves 8 KB for the rest. In characters of base64. */
const maxBase64 = 92_000;

/** Tried in turn until the picture is small enough. The backend keeps avatars 256 wide. */
const attempts = [
  { quality: 80, compressedWidth: 512 },
  { quality: 70, compressedWidth: 256 },
  { quality: 40, compressedWidth: 256 },
] as const;

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
  const original = await read(path);
  if (original.length <= maxBase64) return original;
  for (const attempt of attempts) {
    const smaller = await read(await compress(path, attempt));
    if (smaller.length <= maxBase64) return smaller;
  }
  throw new PictureError('too-large');
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
function compress(src: string, attempt: (typeof attempts)[number]): Promise<string> {
  return new Promise((resolve, reject) => {
    wx.compressImage({
      src,
      ...attempt,
      success: ({ tempFilePath }) => resolve(tempFilePath),
      fail: () => reject(new PictureError('too-large')),
    });
  });
}
