import sharp from 'sharp';
import { workingProfile } from '../../../src/inference/codec/working-profile.js';

async function profile(name: string): Promise<Buffer> {
  const pixel = { create: { width: 1, height: 1, channels: 3, background: 'red' } } as const;
  const file = await sharp(pixel).withIccProfile(name).jpeg().toBuffer();
  return (await sharp(file).metadata()).icc as Buffer;
}

test('a working space other than sRGB is one to write in', async () => {
  const p3 = await profile('p3');
  expect(workingProfile(p3)).toBe(p3);
  expect(workingProfile(await profile('srgb'))).toBeUndefined();
  expect(workingProfile(await profile('cmyk'))).toBeUndefined();
});

test('scanners, greys and damaged profiles are not', async () => {
  const p3 = await profile('p3');
  const changed = (at: number, text: string) => {
    const copy = Buffer.from(p3);
    copy.write(text, at, 'latin1');
    return copy;
  };
  expect(workingProfile(undefined)).toBeUndefined();
  expect(workingProfile(p3.subarray(0, 100))).toBeUndefined();
  expect(workingProfile(p3.subarray(0, 140))).toBeUndefined();
  expect(workingProfile(changed(12, 'scnr'))).toBeUndefined();
  expect(workingProfile(changed(16, 'GRAY'))).toBeUndefined();
  // A count of tags that is not true.
  expect(workingProfile(changed(128, '\xff\xff\xff\xff'))).toBeDefined();
  expect(workingProfile(changed(128, '\0\0\0\0'))).toBeUndefined();
});
