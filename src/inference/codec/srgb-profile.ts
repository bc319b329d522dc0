import sharp from 'sharp';

/** The sRGB profile libvips carries, for embedding; about half a kilobyte. */
export async function readSrgbProfile(): Promise<Uint8Array> {
  const pixel = { create: { width: 1, height: 1, channels: 3, background: 'black' } } as const;
  const png = await sharp(pixel).withIccProfile('srgb').png().toBuffer();
  const { icc } = await sharp(png).metadata();
  return icc ?? new Uint8Array();
}
