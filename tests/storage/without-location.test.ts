import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { removeLocation } from '../../src/storage/without-location.js';
import { oldPhoto } from '../bots/support/old-photo.js';
import { tiffWithPlace } from '../support/tiff-with-place.js';

const place = {
  IFD0: { Make: 'Seagull', Artist: 'somebody' },
  IFD3: {
    GPSLatitudeRef: 'N',
    GPSLatitude: '31/1 13/1 4567/100',
    GPSLongitudeRef: 'E',
    GPSLongitude: '121/1 28/1 1234/100',
    GPSMapDatum: 'WGS-84-UNIQUE',
  },
};

const formats = ['jpeg', 'png', 'webp', 'tiff', 'avif'] as const;

async function photoWith(format: (typeof formats)[number]): Promise<Buffer> {
  if (format === 'tiff') return tiffWithPlace('WGS-84-UNIQUE', 'Seagull');
  return sharp(await oldPhoto(3))
    .withExif(place)
    [format]()
    .toBuffer();
}

/** Chunks whose checksum is not that of their bytes: strict readers refuse such a PNG. */
function wrongChecksums(png: Buffer): string[] {
  const wrong: string[] = [];
  for (let at = 8; at < png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end))
      wrong.push(png.toString('latin1', at + 4, at + 8));
    at = end + 4;
  }
  return wrong;
}

describe.each(formats)('location in %s', (format) => {
  test('is gone, the rest stays, and the picture still opens', async () => {
    const file = await photoWith(format);
    expect(file.includes('WGS-84-UNIQUE')).toBe(true);
    const pixels = await sharp(file).raw().toBuffer();
    const bytes = file.length;
    expect(removeLocation(file)).toBe(true);
    expect(file.includes('WGS-84-UNIQUE')).toBe(false);
    expect(file.includes('Seagull')).toBe(true);
    expect(file.length).toBe(bytes);
    expect((await sharp(file, { failOn: 'warning' }).raw().toBuffer()).equals(pixels)).toBe(true);
    expect(removeLocation(file)).toBe(false);
  });
});

test('an AVIF that does not mark its EXIF block loses the place as well', async () => {
  const file = await photoWith('avif');
  file.write('none', file.indexOf('Exif\0\0'), 'latin1');
  expect(removeLocation(file)).toBe(true);
  expect(file.includes('WGS-84-UNIQUE')).toBe(false);
  expect((await sharp(file).metadata()).width).toBeGreaterThan(10);
});

test('XMP says it in words, which go as well', async () => {
  const xmp = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="31,13.5N"><exif:GPSLongitude>121,28.1E</exif:GPSLongitude></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;
  const file = await sharp(await oldPhoto(4))
    .withXmp(xmp)
    .jpeg()
    .toBuffer();
  expect(removeLocation(file)).toBe(true);
  expect(file.toString('latin1')).not.toMatch(/31,13|121,28/);
});

describe('packed texts of a PNG', () => {
  const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r exif:GPSLatitude="31,13.5N"/></x:xmpmeta>';

  async function pngWith(type: string, data: Buffer): Promise<Buffer> {
    const png = await sharp(await oldPhoto(6))
      .png()
      .toBuffer();
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    const chunk = [frame.subarray(0, 4), body, frame.subarray(4)];
    // Behind the header chunk.
    return Buffer.concat([png.subarray(0, 33), ...chunk, png.subarray(33)]);
  }
  async function exifInDigits(): Promise<Buffer> {
    const file = await photoWith('jpeg');
    const at = file.indexOf('Exif\0\0');
    const exif = file.subarray(at, at + file.readUInt16BE(at - 2) - 2);
    return Buffer.from(`\nexif\n${exif.length}\n${exif.toString('hex')}\n`, 'latin1');
  }
  const cases: [string, string, () => Promise<Buffer>][] = [
    ['XMP', 'iTXt', async () => packed('XML:com.adobe.xmp\0\x01\0\0\0', Buffer.from(xmp))],
    ['XMP', 'zTXt', async () => packed('XML:com.adobe.xmp\0\0', Buffer.from(xmp))],
    ['EXIF', 'zTXt', async () => packed('Raw profile type exif\0\0', await exifInDigits())],
    [
      'EXIF',
      'tEXt',
      async () =>
        Buffer.concat([Buffer.from('Raw profile type exif\0', 'latin1'), await exifInDigits()]),
    ],
  ];
  const packed = (head: string, text: Buffer) =>
    Buffer.concat([Buffer.from(head, 'latin1'), deflateSync(text)]);

  test.each(cases)('%s in %s goes with the place it names', async (_what, type, data) => {
    const file = await pngWith(type, await data());
    const pixels = await sharp(file).raw().toBuffer();
    expect(removeLocation(file)).toBe(true);
    expect(file.includes(type)).toBe(false);
    expect(wrongChecksums(file)).toEqual([]);
    expect((await sharp(file, { failOn: 'warning' }).raw().toBuffer()).equals(pixels)).toBe(true);
    expect(removeLocation(file)).toBe(false);
  });

  test('one without a place stays, and a bomb is not unpacked', async () => {
    const harmless = packed('Comment\0\0', Buffer.from('by the river'));
    const bomb = packed('Comment\0\0', Buffer.alloc(50_000_000));
    for (const data of [harmless, bomb, Buffer.from('no end'), Buffer.from('a\0\0rubbish')]) {
      const file = await pngWith('zTXt', data);
      const before = Buffer.from(file);
      expect(removeLocation(file)).toBe(false);
      expect(file.equals(before)).toBe(true);
    }
  });
});

test('a photo without a place, no photo at all, and damaged tables are left alone', async () => {
  const plain = await oldPhoto(5);
  const copy = Buffer.from(plain);
  expect(removeLocation(copy)).toBe(false);
  expect(copy.equals(plain)).toBe(true);
  expect(removeLocation(Buffer.alloc(0))).toBe(false);
  for (let i = 0; i < 200; i++) {
    const damaged = await photoWithCached();
    for (let k = 0; k < 20; k++) damaged[(i * 7919 + k * 104_729) % damaged.length]! ^= 0xff;
    expect(() => removeLocation(damaged.subarray(0, damaged.length - i))).not.toThrow();
  }
});

let cached: Buffer | undefined;
async function photoWithCached(): Promise<Buffer> {
  cached ??= await photoWith('jpeg');
  return Buffer.from(cached);
}
