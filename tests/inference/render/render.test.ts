import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { fFromLight, lStarFromF } from '../../../src/inference/color/lab.js';
import { createRenderer, inspectPhoto } from '../../../src/inference/render/index.js';
import { StudioError } from '../../../src/studio/errors/index.js';
import { limits } from '../../../src/studio/limits.js';
import type { ImageFormat, RenderOptions } from '../../../src/studio/ports/colorizer.js';
import {
  astronaut,
  greyProfile,
  greyTiff16,
  label,
  meanDifference,
  plain,
  readLab,
  scratchFolder,
  smoothPlane,
  writeScene,
} from '../support/pictures.js';

const folder = scratchFolder();
const renderer = createRenderer({ limits: limits.photo, threads: 2, tempDir: folder });
afterAll(() => renderer.close());
const at = (name: string) => path.join(folder, name);
const plane = smoothPlane(24, 20, 18);
const leftovers = () => readdirSync(folder).filter((n) => /render-|\.part$/.test(n));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof StudioError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('what comes in', () => {
  const exif = { IFD3: { GPSLatitude: '31/1 13/1 0/1' }, IFD0: { Make: 'SecretCamera' } };
  test.each<[string, (s: sharp.Sharp) => sharp.Sharp, number, number]>([
    ['grey.jpg', (s) => s.toColourspace('b-w').jpeg(), 8, 1],
    ['rgb.jpg', (s) => s.toColourspace('srgb').jpeg({ quality: 95 }), 8, 3],
    ['progressive.jpg', (s) => s.toColourspace('srgb').jpeg({ progressive: true }), 8, 3],
    ['cmyk.jpg', (s) => s.toColourspace('cmyk').jpeg({ quality: 95 }), 8, 4],
    ['palette.png', (s) => s.toColourspace('srgb').png({ palette: true }), 8, 3],
    ['grey16.png', (s) => s.toColourspace('grey16').png(), 16, 1],
    ['rgb16.png', (s) => s.toColourspace('rgb16').png(), 16, 3],
    ['rgba.png', (s) => s.toColourspace('srgb').ensureAlpha(0.5).png(), 8, 4],
    ['rgb16.tiff', (s) => s.toColourspace('rgb16').tiff({ compression: 'deflate' }), 16, 3],
    ['grey.tiff', (s) => s.toColourspace('b-w').tiff({ compression: 'lzw' }), 8, 1],
    ['photo.webp', (s) => s.toColourspace('srgb').webp({ lossless: true }), 8, 3],
    ['photo.avif', (s) => s.toColourspace('srgb').avif({ lossless: true }), 8, 3],
    ['p3.jpg', (s) => s.toColourspace('srgb').withIccProfile('p3').jpeg({ quality: 95 }), 8, 3],
  ])('%s keeps its lightness and depth', async (name, change, bitDepth, channels) => {
    const file = await writeScene(at(name), 150, 110, (s) => change(s.withExif(exif)));
    expect(await inspectPhoto(file, limits.photo)).toMatchObject({
      widthPx: 150,
      heightPx: 110,
      bitDepth,
      channels,
    });
    const rendition = await renderer.render(file, plane, at(`${name}.out.png`), plain);
    expect(rendition).toMatchObject({ widthPx: 150, heightPx: 110, format: 'png', bitDepth });
    expect(statSync(rendition.file).size).toBe(rendition.bytes);
    // What libvips itself shows on a screen is the reference for profiles, CMYK and palettes.
    const shown = await sharp(file).flatten({ background: 'white' }).png().toBuffer();
    const before = await readLab(shown);
    const flat = await sharp(rendition.file).flatten({ background: 'white' }).png().toBuffer();
    const after = await readLab(name.startsWith('rgba') ? flat : rendition.file);
    expect(meanDifference(before.l, after.l)).toBeLessThan(name.startsWith('rgba') ? 1.5 : 0.5);
    expect(meanDifference(after.a, new Float64Array(after.a.length))).toBeGreaterThan(3);
    const metadata = await sharp(rendition.file).metadata();
    expect(metadata.exif).toBeUndefined();
    expect(metadata.hasAlpha).toBe(name.startsWith('rgba'));
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i is applied', async (orientation) => {
    const file = at(`turned-${orientation}.jpg`);
    await writeScene(file, 90, 60, (s) => s.withMetadata({ orientation }).jpeg({ quality: 98 }));
    const upright = orientation < 5 ? [90, 60] : [60, 90];
    const info = await inspectPhoto(file, limits.photo);
    expect([info.widthPx, info.heightPx]).toEqual(upright);
    const out = at(`turned-${orientation}.png`);
    await renderer.render(file, plane, out, plain);
    const [before, after] = await Promise.all([readLab(file), readLab(out)]);
    expect([after.widthPx, after.heightPx]).toEqual(upright);
    expect(meanDifference(before.l, after.l)).toBeLessThan(0.5);
  });

  test('density is kept in every format that has one', async () => {
    for (const format of ['jpeg', 'png', 'tiff'] as const) {
      const file = await writeScene(at(`dpi.${format}`), 64, 48, (s) =>
        s.withMetadata({ density: 600 }).toFormat(format, { xres: 23.622, yres: 23.622 }),
      );
      const out = at(`dpi-out.${format}`);
      await renderer.render(file, plane, out, { label, format });
      expect((await sharp(out).metadata()).density).toBeCloseTo(600, -1);
    }
  });

  test('a photo of 72 dpi, or one that says nothing, never becomes one of 25', async () => {
    for (const format of ['jpeg', 'png', 'tiff'] as const)
      for (const said of [true, false]) {
        const file = await writeScene(at(`72-${said}.${format}`), 64, 48, (s) =>
          (said ? s.withMetadata({ density: 72 }) : s).toFormat(format),
        );
        const out = at(`72-${said}-out.${format}`);
        await renderer.render(file, plane, out, { label, format });
        expect((await sharp(out).metadata()).density).toBeCloseTo(72, 0);
      }
  });

  test('16 bits stay 16 bits in TIFF and keep their fine steps', async () => {
    const ramp = Uint16Array.from({ length: 512 * 16 }, (_, i) => 20_000 + (i % 512) * 8);
    const file = at('ramp.tiff');
    writeFileSync(file, greyTiff16(512, 16, ramp));
    expect(await inspectPhoto(file, limits.photo)).toMatchObject({ bitDepth: 16, channels: 1 });
    const rendition = await renderer.render(file, plane, at('ramp-out.tiff'), { label });
    expect(rendition).toMatchObject({ format: 'tiff', bitDepth: 16 });
    const { l } = await readLab(rendition.file);
    expect(new Set(l.slice(0, 512)).size).toBeGreaterThan(480);
  });

  test('profiles of 16-bit pictures count: grey with a gamma of its own, colour in Display P3', async () => {
    const ramp = Uint16Array.from({ length: 256 * 16 }, (_, i) => 8000 + (i % 256) * 220);
    writeFileSync(at('gamma.tiff'), greyTiff16(256, 16, ramp, greyProfile(1.8)));
    await renderer.render(at('gamma.tiff'), plane, at('gamma.png'), { ...plain, strength: 0 });
    const { l } = await readLab(at('gamma.png'));
    for (let x = 0; x < 256; x += 5) {
      const f = fFromLight((ramp[x]! / 65_535) ** 1.8);
      expect(Math.abs(l[x]! - lStarFromF(f))).toBeLessThan(0.5);
    }
    await sharp(astronaut)
      .toColourspace('rgb16')
      .withIccProfile('p3')
      .png()
      .toFile(at('p3-16.png'));
    await renderer.render(at('p3-16.png'), plane, at('p3-16.out.png'), plain);
    const [before, after] = await Promise.all([readLab(astronaut), readLab(at('p3-16.out.png'))]);
    // Read back through 8-bit sRGB, from the photo's own space.
    expect(meanDifference(before.l, after.l)).toBeLessThan(0.3);
  });

  test.each([
    ['jpeg', 'srgb', 1],
    ['png', 'rgb16', 0.5],
    ['tiff', 'rgb16', 0.5],
  ] as const)(
    'a full-size result stays in the working space of its photo: %s',
    async (format, space, tolerance) => {
      const file = at(`wide-${space}.${format}`);
      await sharp(astronaut)
        .toColourspace(space)
        .withIccProfile('p3')
        .toFormat(format)
        .toFile(file);
      const profileOf = async (picture: string) => (await sharp(picture).metadata()).icc;
      const out = at(`wide-${space}.out.${format}`);
      await renderer.render(file, plane, out, { ...plain, format });
      expect(await profileOf(out)).toEqual(await profileOf(file));
      const [before, after] = await Promise.all([readLab(file), readLab(out)]);
      expect(meanDifference(before.l, after.l)).toBeLessThan(tolerance);
      // What is shown keeps the colours too: the same result in sRGB looks the same.
      const plainOut = at(`wide-${space}.srgb.${format}`);
      await renderer.render(astronaut, plane, plainOut, { ...plain, format });
      const inSrgb = await readLab(plainOut);
      expect(meanDifference(inSrgb.a, after.a)).toBeLessThan(3);
      expect(meanDifference(inSrgb.b, after.b)).toBeLessThan(3);
      await renderer.render(file, plane, out, { ...plain, format, longEdgePx: 200 });
      expect(await profileOf(out)).toEqual(await profileOf(plainOut));
    },
  );

  test('pages after the first and animation are left out, with a note', async () => {
    const pages = await Promise.all(
      [1, 2, 3].map((i) => writeScene(at(`page-${i}.png`), 40, 40, (s) => s.negate(i === 2).png())),
    );
    const animated = at('animated.gif');
    await sharp(pages, { join: { animated: true } })
      .gif()
      .toFile(animated);
    const rendition = await renderer.render(animated, plane, at('animated.png'), { label });
    expect(rendition).toMatchObject({ widthPx: 40, heightPx: 40, format: 'png' });
    expect(rendition.notes).toEqual([{ key: 'photo.note.firstPage', params: { pages: 3 } }]);
  });
});

describe('what is refused, before pixels are decoded', () => {
  const bytes = (name: string, content: string | Buffer) => {
    writeFileSync(at(name), content);
    return at(name);
  };
  test.each([
    ['empty', () => bytes('empty.jpg', ''), 'PHOTO_UNREADABLE'],
    ['text', () => bytes('text.jpg', 'hello '.repeat(50)), 'PHOTO_UNREADABLE'],
    ['nothing there', () => at('nobody.jpg'), 'PHOTO_UNREADABLE'],
    ['a folder', () => folder, 'PHOTO_UNREADABLE'],
    [
      'SVG',
      () => bytes('a.png', '<svg xmlns="http://www.w3.org/2000/svg"/>'),
      'PHOTO_FORMAT_UNSUPPORTED',
    ],
    ['PDF', () => bytes('a.jpg', '%PDF-1.7 '), 'PHOTO_FORMAT_UNSUPPORTED'],
    [
      'HEIC',
      () => bytes('b.jpg', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
      'PHOTO_FORMAT_UNSUPPORTED',
    ],
    [
      'video',
      () => bytes('c.jpg', '\0\0\0\x18ftypisom\0\0\0\0isommp42'),
      'PHOTO_FORMAT_UNSUPPORTED',
    ],
    [
      'a header only',
      () => bytes('d.jpg', Buffer.from('ffd8ffe000104a464946', 'hex')),
      'PHOTO_UNREADABLE',
    ],
  ])('%s', async (_, make, code) => {
    const file = make();
    expect(await codeOf(inspectPhoto(file, limits.photo))).toBe(code);
    expect(await codeOf(renderer.render(file, plane, at('never.png'), plain))).toBe(code);
    expect(existsSync(at('never.png'))).toBe(false);
  });

  test('a decompression bomb: 60,000 x 60,000 pixels in a few hundred bytes', async () => {
    const png = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(60_000, 20);
    const file = bytes('bomb.png', png);
    // Its checksum is wrong too; a decoder that gets that far has already gone too far.
    expect(['PHOTO_TOO_LARGE', 'PHOTO_UNREADABLE']).toContain(
      await codeOf(inspectPhoto(file, limits.photo)),
    );
    const honest = at('large.png');
    const black = { width: 12_000, height: 11_000, channels: 3, background: '#000' } as const;
    await sharp({ create: black }).png({ compressionLevel: 9 }).toFile(honest);
    expect(await codeOf(inspectPhoto(honest, limits.photo))).toBe('PHOTO_TOO_LARGE');
  });

  test('too small, too heavy', async () => {
    const file = await writeScene(at('tiny.png'), 15, 400, (s) => s.png());
    expect(await codeOf(inspectPhoto(file, limits.photo))).toBe('PHOTO_TOO_SMALL');
    const bounds = { ...limits.photo, fileBytes: 100 };
    expect(await codeOf(inspectPhoto(astronaut, bounds))).toBe('PHOTO_FILE_TOO_LARGE');
  });

  test('cut short: refused, nothing written', async () => {
    // Of a JPEG what is left is coloured: jpeg-damage.test.ts.
    const whole = await sharp(astronaut).webp().toBuffer();
    for (const share of [0.3, 0.6, 0.95]) {
      const file = bytes('cut.webp', whole.subarray(0, whole.length * share));
      expect(await codeOf(renderer.render(file, plane, at('cut.png'), plain))).toBe(
        'PHOTO_UNREADABLE',
      );
    }
    expect(existsSync(at('cut.png'))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  test.each<[keyof RenderOptions, unknown]>([
    ['strength', 1.6],
    ['strength', -0.1],
    ['strength', Number.NaN],
    ['warmth', 2],
    ['whiteBalance', -1],
    ['denoise', 1.01],
    ['sharpen', 3],
    ['contrast', '1'],
    ['quality', 0],
    ['longEdgePx', 10.5],
    ['format', 'bmp'],
    ['upsampling', 'lanczos'],
    ['layout', 'grid'],
    ['watermark', '\u{1F600}'],
  ])('option %s = %p', async (name, value) => {
    const options = { ...plain, [name]: value } as RenderOptions;
    const error = await renderer.render(astronaut, plane, at('x.png'), options).catch((e) => e);
    expect(error).toBeInstanceOf(StudioError);
    expect(error).toMatchObject({ code: 'RENDER_OPTION_INVALID', option: name });
  });
});

describe('what goes out', () => {
  test.each<ImageFormat>(['jpeg', 'png', 'webp', 'avif', 'tiff'])('%s', async (format) => {
    const out = at(`astronaut.${format}`);
    const rendition = await renderer.render(astronaut, plane, out, { label, format });
    expect(rendition).toMatchObject({ widthPx: 512, heightPx: 512, format, bitDepth: 8 });
    const metadata = await sharp(out).metadata();
    expect(metadata.mediaType).toBe(`image/${format}`);
    const [before, after] = await Promise.all([readLab(astronaut), readLab(out)]);
    expect(meanDifference(before.l, after.l)).toBeLessThan(format === 'avif' ? 1 : 0.7);
  });

  test('scaled down to the long edge', async () => {
    const out = at('small.jpg');
    const options = { label, longEdgePx: 200 };
    const rendition = await renderer.render(
      path.join(path.dirname(astronaut), 'coffee.jpg'),
      plane,
      out,
      options,
    );
    expect(rendition).toMatchObject({ widthPx: 200, heightPx: 133, format: 'jpeg' });
  });

  test('a photo of pure black and white leaves no room for colour, and that is said', async () => {
    const size = { width: 64, height: 64, channels: 3 } as const;
    const pixels = Buffer.alloc(64 * 64 * 3, 255);
    for (let y = 0; y < 64; y += 2) pixels.fill(0, y * 64 * 3, (y + 1) * 64 * 3);
    const file = at('fax.png');
    await sharp(pixels, { raw: size }).png().toFile(file);
    const note = { key: 'photo.note.noRoomForColour' };
    for (const layout of ['colour', 'comparison'] as const) {
      const { notes } = await renderer.render(file, plane, at('fax-out.png'), { ...plain, layout });
      expect(notes).toContainEqual(note);
    }
    const options = { ...plain, layout: 'comparison' } as const;
    const photo = await renderer.render(astronaut, plane, at('no-fax.png'), options);
    expect(photo.notes).not.toContainEqual(note);
    // Grey as asked.
    const grey = await renderer.render(file, plane, at('asked.png'), { ...plain, strength: 0 });
    expect(grey.notes).toEqual([]);
  });

  test('a comparison that its format cannot hold is made smaller', async () => {
    const file = await writeScene(at('long.webp'), 9000, 40, (s) => s.webp());
    const options = { label, layout: 'comparison' } as const;
    const { widthPx, format } = await renderer.render(file, plane, at('long-out.webp'), options);
    expect(format).toBe('webp');
    expect(widthPx).toBeGreaterThan(16_300);
    expect(widthPx).toBeLessThanOrEqual(16_383);
  });

  test('a comparison: the original left, a white line, the result right', async () => {
    const out = at('comparison.png');
    const { widthPx } = await renderer.render(astronaut, plane, out, {
      ...plain,
      layout: 'comparison',
    });
    const divider = widthPx - 2 * 512;
    expect(divider).toBeGreaterThanOrEqual(2);
    const part = (left: number, width: number) =>
      sharp(out).extract({ left, top: 0, width, height: 512 }).png().toBuffer();
    const [before, line, after] = await Promise.all([
      part(0, 512),
      part(512, divider),
      part(512 + divider, 512),
    ]);
    const [original, left, white, right] = await Promise.all(
      [astronaut, before, line, after].map(readLab),
    );
    for (const channel of ['l', 'a', 'b'] as const)
      expect(meanDifference(original![channel], left![channel])).toBeLessThan(0.01);
    expect(Math.min(...white!.l)).toBeGreaterThan(99.9);
    expect(meanDifference(original!.l, right!.l)).toBeLessThan(0.5);
    expect(meanDifference(original!.a, right!.a)).toBeGreaterThan(3);
    const limited = { ...plain, layout: 'comparison', longEdgePx: 300 } as const;
    const small = await renderer.render(astronaut, plane, at('c2.png'), limited);
    expect(small.widthPx).toBeLessThanOrEqual(300);
    expect(small.widthPx).toBeGreaterThan(290);
  });

  test('strength 0 is grey, warmth moves b*, white balance takes a cast out', async () => {
    const mean = (x: Float64Array) => x.reduce((s, v) => s + v, 0) / x.length;
    const render = async (options: Partial<RenderOptions>, ab = plane) => {
      await renderer.render(astronaut, ab, at('f.png'), { ...plain, ...options });
      return readLab(at('f.png'));
    };
    const grey = await render({ strength: 0 });
    expect(meanDifference(grey.a, new Float64Array(grey.a.length))).toBeLessThan(0.1);
    const [cool, warm] = [await render({ warmth: -0.5 }), await render({ warmth: 0.5 })];
    expect(mean(warm.b) - mean(cool.b)).toBeGreaterThan(5);
    const cast = { widthPx: 4, heightPx: 4, ab: new Float32Array(32).fill(6) };
    const [with_, without] = [await render({}, cast), await render({ whiteBalance: 1 }, cast)];
    expect(mean(with_.a)).toBeGreaterThan(3);
    expect(Math.abs(mean(without.a))).toBeLessThan(0.3);
  });

  test('a plane with broken numbers gives a picture', async () => {
    const ab = smoothPlane(8, 8).ab.map((x, i) =>
      i % 7 === 0 ? Number.NaN : i % 5 === 0 ? Infinity : x,
    );
    await renderer.render(astronaut, { widthPx: 8, heightPx: 8, ab }, at('nan.png'), plain);
    const [before, after] = await Promise.all([readLab(astronaut), readLab(at('nan.png'))]);
    expect(meanDifference(before.l, after.l)).toBeLessThan(0.5);
  });
});

describe('stopping and failing', () => {
  test('an aborted render rejects at once and leaves nothing behind', async () => {
    const file = await writeScene(at('big.jpg'), 2000, 1500, (s) => s.jpeg());
    for (const share of [0, 0.2, 0.4, 0.6]) {
      const stop = new AbortController();
      const out = at('aborted.png');
      const work = renderer.render(file, plane, out, plain, {
        signal: stop.signal,
        onProgress: (done) => done >= share && stop.abort(),
      });
      if (share === 0) stop.abort();
      expect(await codeOf(work)).toBe('CANCELLED');
    }
    // The renderer is still fit for work, and cleaning up ends with close().
    const own = createRenderer({ limits: limits.photo, threads: 1, tempDir: folder });
    const running = own.render(file, plane, at('closed.png'), plain);
    const outcome = codeOf(running);
    await own.close();
    expect(await outcome).toBe('CANCELLED');
    await renderer.render(astronaut, plane, at('after.png'), plain);
    expect(existsSync(at('aborted.png'))).toBe(false);
    expect(existsSync(at('closed.png'))).toBe(false);
  });

  test('progress rises to 1', async () => {
    const shares: number[] = [];
    const onProgress = (share: number) => shares.push(share);
    await renderer.render(astronaut, plane, at('p.png'), plain, { onProgress });
    expect(shares.at(-1)).toBe(1);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
  });

  test('a place that cannot be written to', async () => {
    writeFileSync(at('file'), '');
    const work = renderer.render(astronaut, plane, path.join(at('file'), 'x.png'), plain);
    expect(await codeOf(work)).toBe('DISK_UNAVAILABLE');
    const nowhere = createRenderer({ limits: limits.photo, threads: 1, tempDir: at('no-such') });
    expect(await codeOf(nowhere.render(astronaut, plane, at('y.png'), plain))).toBe(
      'DISK_UNAVAILABLE',
    );
    await nowhere.close();
  });

  test('an existing result is replaced only by a whole one', async () => {
    const out = at('kept.png');
    writeFileSync(out, 'old');
    const cut = at('kept-cut.png');
    writeFileSync(cut, (await sharp(astronaut).png().toBuffer()).subarray(0, 90_000));
    await codeOf(renderer.render(cut, plane, out, plain));
    expect(statSync(out).size).toBe(3);
    await renderer.render(astronaut, plane, out, plain);
    expect((await sharp(out).metadata()).format).toBe('png');
  });

  test('many at once share the threads', async () => {
    const all = Array.from({ length: 6 }, (_, i) =>
      renderer.render(astronaut, plane, at(`many-${i}.png`), { ...plain, strength: i / 5 }),
    );
    expect((await Promise.all(all)).map((r) => r.widthPx)).toEqual(Array(6).fill(512));
    expect(leftovers()).toEqual([]);
  });
});
