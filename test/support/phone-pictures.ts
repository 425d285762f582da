import sharp from 'sharp';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** A segment whose length field may lie. */
function segment(marker: number, data: Buffer, length = data.length + 2): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, length >> 8, length & 255]), data]);
}

/** The beginning of an MP4, and noise-free bytes that hold no marker of JPEG. */
const film = Buffer.concat([latin1('\0\0\0\x18ftypmp42\0\0\0\0mp42isom'), Buffer.alloc(20_000, 0x5a)]);

/** Puts segments right behind the first marker, where phones have theirs. */
const withSegments = (jpeg: Buffer, ...segments: readonly Buffer[]) =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

/** Puts bytes before the first marker of that kind. */
function before(jpeg: Buffer, marker: number, bytes: Buffer): Buffer {
  const at = jpeg.indexOf(Buffer.from([0xff, marker]));
  return Buffer.concat([jpeg.subarray(0, at), bytes, jpeg.subarray(at)]);
}

/** The last byte of the scan's spectral selection and what follows it, as some Samsung cameras write them. */
function withOddScanHeader(jpeg: Buffer): Buffer {
  const copy = Buffer.from(jpeg);
  const at = copy.indexOf(Buffer.from([0xff, 0xda]));
  const components = copy.readUInt8(at + 4);
  copy.writeUInt8(0, at + 5 + 2 * components + 1);
  return copy;
}

/** MPF with two pictures: the index, whose second entry is `second` bytes long; CIPA DC-007. */
function multiPictureIndex(second: number): Buffer {
  const index = Buffer.alloc(82);
  index.write('MPF\0MM\0*', 0, 'latin1');
  index.writeUInt32BE(8, 8);
  index.writeUInt16BE(1, 12);
  index.writeUInt16BE(0xb002, 14);
  index.writeUInt16BE(7, 16);
  index.writeUInt32BE(32, 18);
  index.writeUInt32BE(26, 22);
  index.writeUInt32BE(second, 66);
  return segment(0xe2, index);
}

/** Pictures as the cameras and galleries of phones write them: odd, and good all the same. */
export async function phonePictures(): Promise<Record<string, Buffer>> {
  const photo = sharp({
    create: {
      width: 400,
      height: 300,
      channels: 3,
      background: '#08f',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  });
  const jpeg = await photo.jpeg().toBuffer();
  const progressive = await photo.jpeg({ progressive: true }).toBuffer();
  const xmp = segment(0xe1, latin1('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta GCamera:MotionPhoto="1"/>'));
  const icc = (data: Buffer) => segment(0xe2, Buffer.concat([latin1('ICC_PROFILE\0'), data]));

  return {
    'a scan header that ends its spectrum too early (Samsung)': withOddScanHeader(jpeg),
    'a motion photo (Google)': Buffer.concat([withSegments(jpeg, xmp), film]),
    'a motion photo (Samsung)': Buffer.concat([jpeg, latin1('MotionPhoto_Data'), film, latin1('SEFHk\0\0\0SEFT')]),
    'two pictures in one file (MPF)': Buffer.concat([withSegments(jpeg, multiPictureIndex(jpeg.length)), jpeg]),
    'an MPF index that is cut off': withSegments(jpeg, segment(0xe2, latin1('MPF\0MM\0*\0\0'))),
    'a colour profile of which a part is missing': withSegments(
      jpeg,
      icc(Buffer.concat([Buffer.from([1, 3]), Buffer.alloc(200, 1)])),
    ),
    'a colour profile that is cut off': withSegments(jpeg, icc(Buffer.from([1, 1, 0, 0, 2, 0x30]))),
    'a colour profile with a wrong number': withSegments(jpeg, icc(Buffer.from([9, 1, 0, 0, 2, 0x30]))),
    'an APP2 segment of nothing': withSegments(jpeg, segment(0xe2, Buffer.alloc(0))),
    'zeros between two segments': before(jpeg, 0xc4, Buffer.alloc(2)),
    'bytes before the frame': before(jpeg, 0xc0, latin1('xy')),
    'bytes before the scan': before(jpeg, 0xda, Buffer.alloc(7, 0x20)),
    'bytes before a later scan': before(progressive, 0xda, Buffer.from([0xff, 0, 0xff, 0xff])),
    'a restart marker between two segments': before(jpeg, 0xdb, Buffer.from([0xff, 0xd0])),
    'bytes before the end': Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(3), jpeg.subarray(-2)]),
    'fill bytes before a marker': before(jpeg, 0xdb, Buffer.alloc(9, 0xff)),
  };
}
