import { limits } from '../../studio/limits.js';
import type { Colorizer } from '../../studio/ports/colorizer.js';
import { openPhoto } from '../codec/open-photo.js';
import { readPhotoHeader } from '../codec/photo-header.js';
import { type NodeRun, type Picture, writePicture } from './node-run.js';

/**
 * A photo as the nodes take it. What a plain decoder would take for something else (a small copy in
 * front, infrared, a profile in 16 bits) is made plain at once.
 * @throws what `inspect` throws
 */
export async function loadPicture(
  file: string,
  colorizer: Pick<Colorizer, 'inspect'>,
  run: Pick<NodeRun, 'temporary'>,
): Promise<Picture> {
  const { widthPx, heightPx, bitDepth } = await colorizer.inspect(file);
  // The colourizer's own limits have been kept; these are the widest.
  const header = await readPhotoHeader(file, limits.photo);
  const plain = header.page === 0 && header.subifd < 0 && !header.hasExtra;
  if (plain && !(bitDepth === 16 && header.hasProfile))
    return { file, widthPx, heightPx, bitDepth };
  const limitPixels = Math.ceil(limits.photo.megapixels * 1e6);
  const pipeline = openPhoto(file, header, { limitPixels, keepAlpha: false, bitDepth });
  return writePicture(run, pipeline, bitDepth);
}
