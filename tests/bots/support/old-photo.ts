import sharp from 'sharp';

/** An old photo of its own per seed: grey, with a scene that a colouriser can take for something. */
export function oldPhoto(seed: number, widthPx = 480, heightPx = 360): Promise<Buffer> {
  const grey = (60 + ((seed * 37) % 140)).toString(16).padStart(2, '0');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">
    <defs><linearGradient id="sky" x2="0" y2="1">
      <stop stop-color="#ddd"/><stop offset="1" stop-color="#999"/></linearGradient></defs>
    <rect width="100%" height="60%" fill="url(#sky)"/>
    <rect y="60%" width="100%" height="40%" fill="#555"/>
    <circle cx="${100 + ((seed * 53) % 200)}" cy="45%" r="60" fill="#${grey}${grey}${grey}"/></svg>`;
  return sharp(Buffer.from(svg)).greyscale().jpeg({ quality: 95 }).toBuffer();
}

/**
 * Mean absolute difference of two pictures' lightness L*, away from the corner label, 0..100.
 * Computed here from sRGB, not by the code under test.
 */
export async function lightnessDifference(a: Buffer, b: Buffer): Promise<number> {
  const { width = 0, height = 0 } = await sharp(a).metadata();
  const area = {
    left: 0,
    top: 0,
    width: Math.floor(width * 0.75),
    height: Math.floor(height * 0.8),
  };
  const [one, other] = await Promise.all(
    [a, b].map(async (bytes) => {
      const image = sharp(bytes).extract(area).toColourspace('srgb').removeAlpha();
      const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
      return Array.from({ length: info.width * info.height }, (_, i) => {
        const at = i * info.channels;
        const [r, g, b] =
          info.channels >= 3
            ? [data[at]!, data[at + 1]!, data[at + 2]!]
            : [data[at]!, data[at]!, data[at]!];
        return lightness(r, g, b);
      });
    }),
  );
  let sum = 0;
  for (let i = 0; i < one!.length; i++) sum += Math.abs(one![i]! - other![i]!);
  return sum / one!.length;
}

/** CIE L* of an 8-bit sRGB colour. */
function lightness(r: number, g: number, b: number): number {
  const linear = (value: number) =>
    value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return y > 216 / 24_389 ? 116 * Math.cbrt(y) - 16 : (y * 24_389) / 27;
}

/** Mean chroma-like spread of a picture: 0 for grey, more for colours. */
export async function colourfulness(bytes: Buffer): Promise<number> {
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels < 3) return 0;
  let sum = 0;
  for (let i = 0; i < data.length; i += info.channels) {
    const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!];
    sum += Math.max(r, g, b) - Math.min(r, g, b);
  }
  return sum / (info.width * info.height);
}
