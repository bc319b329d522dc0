import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { createRenderer, inspectPhoto, modelInput } from '../../../src/inference/render/index.js';
import { limits } from '../../../src/studio/limits.js';
import type { ImageFormat } from '../../../src/studio/ports/colorizer.js';
import {
  meanDifference,
  plain,
  readLab,
  scene,
  scratchFolder,
  smoothPlane,
} from '../support/pictures.js';
import { buildTiff, type TiffPage } from '../support/tiff.js';

const folder = scratchFolder();
const at = (name: string) => path.join(folder, name);
const renderer = createRenderer({ limits: limits.photo, threads: 1, tempDir: folder });
afterAll(() => renderer.close());
const plane = smoothPlane(8, 8);

const page = (widthPx: number, heightPx: number, more: Partial<TiffPage> = {}): TiffPage => ({
  ...{ widthPx, heightPx, samples: scene(widthPx, heightPx) },
  ...more,
});

function write(name: string, ...pages: TiffPage[]): string {
  writeFileSync(at(name), buildTiff(pages));
  return at(name);
}

describe('several pictures in one file', () => {
  const largest = (pages: number, number: number) => [
    {
      key: 'photo.note.largestPage',
      params: { pages, page: number, widthPx: 150, heightPx: 110 },
    },
  ];

  test.each<[string, TiffPage[], number, number]>([
    ['a small copy first', [page(40, 30), page(150, 110)], 2, 2],
    ['in the middle', [page(40, 30), page(150, 110), page(90, 66)], 3, 2],
    ['below the page', [page(40, 30, { below: [page(60, 44), page(150, 110)] })], 3, 3],
    // A mask of transparency is as large, or larger.
    ['beside a mask', [page(40, 30), page(150, 110), page(200, 150, { tags: { 254: [4] } })], 3, 2],
  ])(
    'the largest is coloured, and which it was is said: %s',
    async (name, pages, count, number) => {
      const file = write(`${name}.tif`, ...pages);
      const out = at(`${name}.png`);
      const { widthPx, heightPx, notes } = await renderer.render(file, plane, out, plain);
      expect({ widthPx, heightPx, notes }).toEqual({
        ...{ widthPx: 150, heightPx: 110, notes: largest(count, number) },
      });
      const whole = write('whole.tif', page(150, 110));
      const [wanted, got] = await Promise.all([whole, out].map(readLab));
      expect(meanDifference(wanted!.l, got!.l)).toBeLessThan(0.5);
      // The network sees the same picture.
      const input = { widthPx: 64, heightPx: 64, fit: 'stretch' } as const;
      const [seen, expected] = await Promise.all(
        [file, whole].map((one) => modelInput(one, input, { limits: limits.photo })),
      );
      expect(seen!.tensor).toEqual(expected!.tensor);
    },
  );

  test('of equals the first', async () => {
    const file = write('equal.tif', page(60, 40), page(60, 40));
    const { notes } = await inspectPhoto(file, limits.photo);
    expect(notes).toEqual([{ key: 'photo.note.firstPage', params: { pages: 2 } }]);
  });

  test('a directory that leads to itself ends', async () => {
    const bytes = buildTiff([page(60, 40)]);
    const directory = bytes.readUInt32LE(4);
    bytes.writeUInt32LE(directory, directory + 2 + 12 * bytes.readUInt16LE(directory));
    writeFileSync(at('loop.tif'), bytes);
    expect(await inspectPhoto(at('loop.tif'), limits.photo)).toMatchObject({ widthPx: 60 });
  });
});

test.each<[string, Record<number, number[]>, string]>([
  ['a.tif', { 50706: [1, 4] }, 'DNG'],
  ['photo.dng', {}, 'DNG'],
  ['photo.NEF', {}, 'NEF'],
  ['b.tif', { 262: [32803] }, 'raw'],
  ['c.tif', { 262: [34892] }, 'raw'],
])('a raw file is refused by name: %s %j', async (name, tags, format) => {
  const file = write(name, page(40, 30, { below: [page(150, 110, { tags })] }));
  await expect(inspectPhoto(file, limits.photo)).rejects.toMatchObject({
    ...{ code: 'PHOTO_FORMAT_UNSUPPORTED', format, messageKey: 'photo.refused.raw' },
  });
});

describe('resolution', () => {
  const dpi = async (file: string) => {
    const { densityDpi, densityDownDpi } = await inspectPhoto(file, limits.photo);
    return [densityDpi, densityDownDpi];
  };

  test.each<ImageFormat>(['jpeg', 'png', 'webp', 'avif', 'tiff'])(
    '600 x 300 dpi stay 600 x 300 in %s, and are found there again',
    async (format) => {
      const file = write('aniso.tif', page(60, 40, { dpi: [600, 300] }));
      const out = at(`aniso.${format}`);
      await renderer.render(file, plane, out, { ...plain, format });
      expect(await dpi(out)).toEqual([600, 300]);
      const again = at(`again.${format}`);
      await renderer.render(out, plane, again, { ...plain, format });
      expect(await dpi(again)).toEqual([600, 300]);
    },
  );

  test('a picture on its side turns its resolution along', async () => {
    const tags = { 274: [6] };
    const file = write('side.tif', page(60, 40, { dpi: [600, 300], tags }));
    expect(await dpi(file)).toEqual([300, 600]);
  });

  test('what JFIF says counts where there is no EXIF', async () => {
    const jpeg = await sharp(scene(60, 40), { raw: { width: 60, height: 40, channels: 1 } })
      .jpeg()
      .toBuffer();
    const jfif = Buffer.from('ffe000104a46494600010101025801 2c0000'.replace(' ', ''), 'hex');
    const rest = jpeg.subarray(2);
    writeFileSync(at('jfif.jpg'), Buffer.concat([jpeg.subarray(0, 2), jfif, rest]));
    expect(await dpi(at('jfif.jpg'))).toEqual([600, 300]);
  });
});

describe('a fourth channel', () => {
  /** Grey RGB and a channel that is 0 where dust lies: here, in the whole right half. */
  const withExtra = (tags: Record<number, number[]>, deep = false): TiffPage => {
    const grey = scene(120, 80);
    const scale = deep ? 257 : 1;
    const samples = new (deep ? Uint16Array : Uint8Array)(grey.length * 4);
    for (const [i, value] of grey.entries()) {
      samples.fill(value * scale, 4 * i, 4 * i + 3);
      samples[4 * i + 3] = i % 120 < 60 ? 255 * scale : 0;
    }
    return { widthPx: 120, heightPx: 80, samples, channels: 4, tags };
  };

  test.each([
    ['unspecified', { 338: [0] }, false],
    ['not mentioned', {}, false],
    ['16 bit', { 338: [0] }, true],
  ])('infrared is no transparency: %s', async (name, tags, deep) => {
    const file = write(`infrared-${name}.tif`, withExtra(tags, deep));
    const whole = await readLab(write('grey.tif', page(120, 80)));
    for (const longEdgePx of [undefined, 119]) {
      const out = at('infrared.png');
      const result = await renderer.render(file, plane, out, { ...plain, longEdgePx });
      expect(result.notes).toEqual([{ key: 'photo.note.extraChannel' }]);
      expect((await sharp(out).metadata()).channels).toBe(3);
      if (longEdgePx) continue;
      expect(meanDifference(whole.l, (await readLab(out)).l)).toBeLessThan(0.5);
    }
    // The right half is not black, at any size.
    const input = { widthPx: 64, heightPx: 64, fit: 'stretch' } as const;
    const context = { limits: limits.photo };
    const [seen, expected] = await Promise.all(
      [file, at('grey.tif')].map((one) => modelInput(one, input, context)),
    );
    const off = seen!.tensor.map((x, i) => Math.abs(x - expected!.tensor[i]!));
    expect(Math.max(...off)).toBeLessThan(0.02);
  });

  test('transparency stays transparency', async () => {
    const file = write('alpha.tif', withExtra({ 338: [2] }));
    const { notes } = await renderer.render(file, plane, at('alpha.png'), plain);
    expect(notes).toEqual([]);
    expect((await sharp(at('alpha.png')).metadata()).channels).toBe(4);
  });
});
