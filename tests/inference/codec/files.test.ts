import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { removeLeftovers } from '../../../src/cli/colorize/leftovers.js';
import { stemOf, writeAtomically } from '../../../src/inference/codec/atomic-file.js';
import { sniffFormat } from '../../../src/inference/codec/formats.js';
import { makeFolder } from '../../../src/inference/codec/make-folder.js';
import { openRaster } from '../../../src/inference/codec/raster.js';
import { createScratch } from '../../../src/inference/codec/scratch-folder.js';
import { readSrgbProfile } from '../../../src/inference/codec/srgb-profile.js';
import { createTiffRaster } from '../../../src/inference/codec/tiff-raster.js';
import {
  translateReadError,
  translateWriteError,
} from '../../../src/inference/codec/translate-error.js';
import { DiskUnavailable } from '../../../src/studio/errors/index.js';
import { scratchFolder } from '../support/pictures.js';

const folder = scratchFolder();
const at = (name: string) => path.join(folder, name);

test('a folder is made with those above it, or refused in words', () => {
  const deep = at('a/b/c');
  makeFolder(deep);
  makeFolder(deep);
  expect(existsSync(deep)).toBe(true);
  writeFileSync(at('a/file'), '');
  // The last: the parent is there and yet the kernel says it is not; Node's own mkdir never returns.
  for (const dir of [at('a/file'), at('a/file/b'), '/proc/huancai/b'])
    expect(() => makeFolder(dir)).toThrow(DiskUnavailable);
});

test('formats are told by content', () => {
  const head = (text: string) => Buffer.from(text.padEnd(64, '\0'), 'latin1');
  const cases: [string, string | undefined][] = [
    ['\xff\xd8\xff\xe0', 'jpeg'],
    ['\x89PNG\r\n\x1a\n', 'png'],
    ['RIFF1234WEBP', 'webp'],
    ['II*\0', 'tiff'],
    ['MM\0*', 'tiff'],
    ['GIF89a', 'gif'],
    ['\0\0\0\x1cftypavif', 'avif'],
    ['\0\0\0\x1cftypmif1\0\0\0\0mif1avif', 'avif'],
    ['\0\0\0\x1cftypheic\0\0\0\0mif1heic', 'heic'],
    ['\0\0\0\x1cftypqt  ', 'video'],
    ['%PDF-1.4', 'pdf'],
    ['<?xml version="1.0"?><svg', 'svg'],
    ['  <svg xmlns', 'svg'],
    ['hello', undefined],
    ['', undefined],
  ];
  for (const [text, format] of cases) expect(sniffFormat(head(text))).toBe(format);
});

test('faults of disk and file become ours, without the path', () => {
  const system = (code: string) =>
    Object.assign(new Error(`${code}: /home/me/secret.jpg`), { code });
  expect(translateReadError(system('ENOENT')).code).toBe('PHOTO_UNREADABLE');
  expect(translateReadError(system('EACCES')).code).toBe('PHOTO_UNREADABLE');
  expect(translateReadError(system('ENOSPC')).code).toBe('DISK_UNAVAILABLE');
  for (const code of ['ENOSPC', 'EROFS', 'EACCES', 'ENOENT', 'EIO'])
    expect(translateWriteError(system(code), '/x')).toMatchObject({
      code: 'DISK_UNAVAILABLE',
      retry: 'later',
    });
  const full = new Error('wbuffer_write: write failed\nsystem error: No space left on device');
  expect(translateWriteError(full, '/x').message).toBe('cannot write: no space left on the disk');
  expect(translateReadError(full).code).toBe('DISK_UNAVAILABLE');
  const broken = new Error('VipsJpeg: /home/me/secret.jpg: premature end of JPEG image\nmore');
  expect(translateReadError(broken).message).not.toContain('secret');
});

test('a file appears whole or not at all, in a folder made for it', async () => {
  const target = at('deep/er/out.bin');
  expect(await writeAtomically(target, async (file) => writeFileSync(file, 'whole'))).toBe(5);
  const failing = writeAtomically(target, async (file) => {
    writeFileSync(file, 'ha');
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  });
  await expect(failing).rejects.toMatchObject({ code: 'DISK_UNAVAILABLE' });
  expect(readFileSync(target, 'utf8')).toBe('whole');
  expect(readdirSync(path.dirname(target))).toEqual(['out.bin']);
});

test('a name as long as the file system takes it is no reason to fail; a longer one is said', async () => {
  const fits = at(`names/${'外'.repeat(83)}.jpg`);
  expect(await writeAtomically(fits, async (file) => writeFileSync(file, 'whole'))).toBe(5);
  const tooLong = at(`names/${'外'.repeat(84)}.jpg`);
  await expect(
    writeAtomically(tooLong, async (file) => writeFileSync(file, 'whole')),
  ).rejects.toMatchObject({
    code: 'DISK_UNAVAILABLE',
    params: { reason: expect.stringMatching(/too long/) },
  });
  expect(readdirSync(at('names'))).toEqual([path.basename(fits)]);
  // What a kill leaves of it is found again.
  const leftover = at(`names/.${stemOf(path.basename(fits))}.0123456789ab.part`);
  writeFileSync(leftover, '');
  removeLeftovers([fits]);
  expect(existsSync(leftover)).toBe(false);
});

test.each([
  [8, 3],
  [8, 4],
  [16, 3],
] as const)(
  'rasters: libvips reads what we write, %i bit, %i channels',
  async (bitDepth, channels) => {
    const file = at(`r-${bitDepth}-${channels}.tiff`);
    const shape = { widthPx: 7, heightPx: 5, channels, bitDepth };
    const layout = createTiffRaster(file, shape, await readSrgbProfile());
    const bytes = Uint8Array.from({ length: (7 * 5 * channels * bitDepth) / 8 }, (_, i) => i * 37);
    const raster = openRaster(file, 'r+', layout);
    expect(raster.shape).toEqual(shape);
    const rowBytes = bytes.length / 5;
    raster.writeRows(2, 3, bytes.subarray(2 * rowBytes));
    raster.writeRows(0, 2, bytes.subarray(0, 2 * rowBytes));
    const back = new Uint8Array(bytes.length);
    raster.readRows(0, 5, back);
    raster.close();
    expect(back).toEqual(bytes);
    const depth = bitDepth === 16 ? 'ushort' : 'uchar';
    const image = sharp(file, { ignoreIcc: true }).toColourspace(
      bitDepth === 16 ? 'rgb16' : 'srgb',
    );
    expect(Uint8Array.from(await image.raw({ depth }).toBuffer())).toEqual(bytes);
    expect((await sharp(file).metadata()).hasProfile).toBe(true);
  },
);

test('folders of dead processes are swept, others stay', async () => {
  const [dead, ours] = [at('huancai-render-999999999-a'), at(`huancai-render-${process.pid}-b`)];
  for (const name of [dead, ours, at('huancai-render-x'), at('else')]) mkdirSync(name);
  const scratch = createScratch(folder);
  const made = await scratch.create();
  expect(path.basename(made)).toMatch(new RegExp(`^huancai-render-${process.pid}-`));
  expect(existsSync(dead)).toBe(false);
  for (const name of [ours, at('huancai-render-x'), at('else')])
    expect(existsSync(name)).toBe(true);
});
