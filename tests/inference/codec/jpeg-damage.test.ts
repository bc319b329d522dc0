import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { findJpegDamage } from '../../../src/inference/codec/jpeg-damage.js';
import { createRenderer, inspectPhoto } from '../../../src/inference/render/index.js';
import { limits } from '../../../src/studio/limits.js';
import {
  astronaut,
  meanDifference,
  photos,
  plain,
  readLab,
  scratchFolder,
  smoothPlane,
} from '../support/pictures.js';

const folder = scratchFolder();
const at = (name: string) => path.join(folder, name);
const renderer = createRenderer({ limits: limits.photo, threads: 1, tempDir: folder });
afterAll(() => renderer.close());

/** Ways to code a picture; a restart interval cannot be asked of sharp. */
const codings: Record<string, sharp.JpegOptions> = {
  plain: { chromaSubsampling: '4:2:0' },
  full: { chromaSubsampling: '4:4:4', optimiseCoding: true },
  progressive: { progressive: true },
};
const code = (coding: string, greyscale = false) =>
  sharp(astronaut).greyscale(greyscale).jpeg(codings[coding]).toBuffer();

/** Rows of a strict decode up to a share; what the damage must not be said to lie in. */
async function sameRows(whole: Buffer, file: string | Buffer, share: number): Promise<boolean> {
  const rows = Math.floor(share * 512) - 16;
  const raw = (input: string | Buffer) =>
    sharp(input, { failOn: 'none' }).extract({ left: 0, top: 0, width: 512, height: rows }).raw();
  const [a, b] = await Promise.all([raw(whole).toBuffer(), raw(file).toBuffer()]);
  return a.equals(b);
}

describe('how much of a JPEG is there', () => {
  test('of whole ones everything, however they are coded', async () => {
    for (const name of ['astronaut', 'chelsea', 'coffee'])
      expect(findJpegDamage(readFileSync(path.join(photos, `${name}.jpg`)))).toBeUndefined();
    for (const coding of Object.keys(codings))
      for (const grey of [true, false])
        expect(findJpegDamage(await code(coding, grey))).toBeUndefined();
    // Long runs of zero bits are no hole where the picture is flat.
    const white = { width: 3000, height: 2000, channels: 3, background: '#fff' } as const;
    const flat = await sharp({ create: white }).jpeg({ optimiseCoding: true }).toBuffer();
    expect(flat.includes(Buffer.alloc(256))).toBe(true);
    expect(findJpegDamage(flat)).toBeUndefined();
    // Something behind the picture: a film, a second picture, a line end.
    const whole = await code('plain');
    expect(findJpegDamage(Buffer.concat([whole, whole, Buffer.from('\r\n')]))).toBeUndefined();
  });

  test.each([0.2, 0.5, 0.8, 0.97])(
    'cut off at %d: what is called whole is whole',
    async (share) => {
      for (const coding of ['plain', 'full'])
        for (const grey of [true, false]) {
          const whole = await code(coding, grey);
          const cut = whole.subarray(0, Math.floor(whole.length * share));
          const { missingRows, coarse } = findJpegDamage(cut)!;
          expect(coarse).toBe(false);
          expect(Math.abs(1 - missingRows - share)).toBeLessThan(0.25);
          expect(await sameRows(whole, cut, 1 - missingRows)).toBe(true);
          // Not much more is whole than is said.
          if (share < 0.9) expect(await sameRows(whole, cut, 1.1 - missingRows)).toBe(false);
        }
    },
  );

  test('a missing end mark alone takes no row', async () => {
    for (const coding of Object.keys(codings)) {
      const whole = await code(coding);
      expect(findJpegDamage(whole.subarray(0, -2))).toMatchObject({ missingRows: 0 });
    }
  });

  test.each([0, 0xff, 0x55])('a tail filled with %d is a tail that is missing', async (filler) => {
    const whole = await code('plain');
    const from = Math.floor(whole.length * 0.8);
    const filled = Buffer.from(whole).fill(filler, from);
    const cut = findJpegDamage(whole.subarray(0, from))!;
    const { missingRows, usableBytes } = findJpegDamage(filled)!;
    expect(Math.abs(missingRows - cut.missingRows)).toBeLessThan(0.04);
    expect(Math.abs(usableBytes - from)).toBeLessThan(4);
  });

  test('a hole in the middle, of zeros or of anything', async () => {
    const whole = await code('plain');
    const from = Math.floor(whole.length * 0.5);
    for (const change of [(i: number) => i * 7919, () => 0]) {
      const bytes = Buffer.from(whole);
      for (let i = 0; i < 600; i++) bytes[from + i] = change(i) & 255;
      const { missingRows } = findJpegDamage(bytes)!;
      expect(missingRows).toBeGreaterThan(0.3);
      expect(await sameRows(whole, bytes, 1 - missingRows)).toBe(true);
    }
  });

  test('a progressive one loses details first, rows only where the first scan ends', async () => {
    const whole = await code('progressive');
    const at = (share: number) => findJpegDamage(whole.subarray(0, whole.length * share));
    expect(at(0.5)).toMatchObject({ missingRows: 0, coarse: true });
    expect(at(0.06)!.missingRows).toBeGreaterThan(0.2);
  });
});

describe('colouring what is left', () => {
  const plane = smoothPlane(24, 20, 18);
  const damaged = async (name: string, change: (whole: Buffer) => Buffer) => {
    writeFileSync(at(name), change(Buffer.from(await code('plain'))));
    return at(name);
  };

  test('the rows that are there are coloured, nothing is made up for the others, and it is said', async () => {
    const whole = await code('plain');
    writeFileSync(at('whole.jpg'), whole);
    const cases = {
      'cut.jpg': (bytes: Buffer) => bytes.subarray(0, bytes.length * 0.6),
      'zeros.jpg': (bytes: Buffer) => bytes.fill(0, Math.floor(bytes.length * 0.6)),
    };
    const expected = await readLab(at('whole.jpg'));
    for (const [name, change] of Object.entries(cases)) {
      const file = await damaged(name, change);
      const { damage } = await inspectPhoto(file, limits.photo);
      const percent = damage!.missingPercent;
      expect(percent).toBeGreaterThan(20);
      const out = at(`${name}.png`);
      const { notes } = await renderer.render(file, plane, out, plain);
      expect(notes).toEqual([{ key: 'photo.note.damaged', params: { percent } }]);
      const got = await readLab(out);
      const rows = Math.floor(512 * (1 - percent / 100)) - 16;
      const top = (values: Float64Array) => values.subarray(0, rows * 512);
      expect(meanDifference(top(expected.l), top(got.l))).toBeLessThan(0.5);
      const end = (values: Float64Array) => values.subarray(-512 * 40);
      const flat = new Float64Array(512 * 40);
      expect(meanDifference(end(got.a), flat)).toBeLessThan(0.3);
      expect(meanDifference(end(got.b), flat)).toBeLessThan(0.3);
      expect(meanDifference(top(got.a), new Float64Array(rows * 512))).toBeGreaterThan(3);
    }
  });

  test('bytes that were overwritten are noticed too, and whole photos are not suspected', async () => {
    const file = await damaged('rot.jpg', (bytes) => {
      for (let i = 0; i < 400; i++) bytes[(bytes.length >> 1) + i] = (i * 7919) & 255;
      return bytes;
    });
    const { damage } = await inspectPhoto(file, limits.photo);
    expect(damage!.missingPercent).toBeGreaterThan(30);
    for (const name of ['astronaut', 'chelsea', 'coffee']) {
      const info = await inspectPhoto(path.join(photos, `${name}.jpg`), limits.photo);
      expect(info.damage).toBeUndefined();
    }
  });

  test('two missing bytes at the end cost nothing but a word', async () => {
    const file = await damaged('noeoi.jpg', (bytes) => bytes.subarray(0, -2));
    const { notes } = await renderer.render(file, plane, at('noeoi.png'), plain);
    expect(notes).toEqual([{ key: 'photo.note.damagedEnd' }]);
    const [before, after] = await Promise.all([file, at('noeoi.png')].map((one) => lenient(one)));
    expect(meanDifference(before!.l, after!.l)).toBeLessThan(0.5);
  });

  test.each([700, 2500])('where hardly a row is left (%d bytes) it is refused', async (length) => {
    const file = await damaged('head.jpg', (bytes) => bytes.subarray(0, length));
    await expect(inspectPhoto(file, limits.photo)).rejects.toMatchObject({
      code: 'PHOTO_UNREADABLE',
    });
  });
});

const lenient = async (file: string) =>
  readLab(await sharp(file, { failOn: 'none' }).png().toBuffer());
