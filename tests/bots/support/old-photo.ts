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

/** Mean absolute difference of two pictures' grey values, away from the corner label, 0..255. */
export async function greyDifference(a: Buffer, b: Buffer): Promise<number> {
  const { width = 0, height = 0 } = await sharp(a).metadata();
  const area = {
    left: 0,
    top: 0,
    width: Math.floor(width * 0.75),
    height: Math.floor(height * 0.8),
  };
  const [one, other] = await Promise.all(
    [a, b].map((bytes) => sharp(bytes).extract(area).greyscale().raw().toBuffer()),
  );
  let sum = 0;
  for (let i = 0; i < one!.length; i++) sum += Math.abs(one![i]! - other![i]!);
  return sum / one!.length;
}
