import sharp from 'sharp';
import { translateReadError } from '../codec/translate-error.js';
import { type AigcLabel, parseAigcLabel } from './aigc-xmp.js';

/**
 * The implicit label of a picture file, or undefined where it carries none.
 * @throws {PhotoUnreadable}
 */
export async function readLabel(file: string): Promise<AigcLabel | undefined> {
  try {
    const { xmp } = await sharp(file, { limitInputPixels: false }).metadata();
    return xmp === undefined ? undefined : parseAigcLabel(xmp.toString('utf8'));
  } catch (error) {
    throw translateReadError(error);
  }
}
