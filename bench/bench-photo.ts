import sharp from 'sharp';

/** The demo photograph, free to use; see assets/demo. */
export const demoPhoto = 'assets/demo/photographer.jpg';

/**
 * A photo of about so many megapixels, 4:3: the demo photograph enlarged, toned and grained, for
 * smooth pictures are coded faster than photographs. 8 bit: as the name says; 16 bit: TIFF.
 */
export async function writePhoto(
  file: string,
  megapixels: number,
  bitDepth: 8 | 16,
): Promise<void> {
  const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3));
  const height = Math.round((width * 3) / 4);
  const grain = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#808080',
      // As many bytes a pixel as old photographs have at this JPEG quality, 0.24 to 0.39.
      noise: { type: 'gaussian', mean: 128, sigma: 26 },
    },
    limitInputPixels: false,
  })
    .toColourspace('b-w')
    .png({ compressionLevel: 1 })
    .toBuffer();
  const pipeline = sharp(demoPhoto)
    .resize(width, height, { fit: 'cover' })
    .toColourspace('srgb')
    .tint('#c8a878')
    .composite([{ input: grain, blend: 'overlay' }]);
  if (bitDepth === 16) pipeline.toColourspace('rgb16').tiff({ compression: 'lzw' });
  else pipeline.jpeg({ quality: 90 });
  await pipeline.toFile(file);
}
