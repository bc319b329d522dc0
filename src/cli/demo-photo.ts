import sharp from 'sharp';
import { demoPhoto } from './demo.js';

/** The demo photograph as a square JPEG of about so many megapixels. */
export async function enlargedDemo(file: string, megapixels: number): Promise<void> {
  const side = Math.round(Math.sqrt(megapixels * 1e6));
  await sharp(demoPhoto)
    .resize(side, side, { kernel: 'lanczos3' })
    .jpeg({ quality: 90 })
    .toFile(file);
}
