import type { Label } from '../../studio/ports/colorizer.js';
import { writeAtomically } from '../codec/atomic-file.js';
import { copyPngWithXmp } from '../codec/png-xmp.js';
import { aigcLabel, xmpPacket } from '../label/aigc-xmp.js';
import { loadGlyphs } from '../label/glyphs.js';
import { paintLabel } from '../label/paint-label.js';
import { openPicture, type Picture } from './node-run.js';

/**
 * Write a result as 8-bit PNG with its label, as SaveImage does; nodes in between drop metadata.
 * @param bare name of a file that may be used on the way.
 */
export async function savePicture(
  picture: Picture,
  output: string,
  bare: string,
  label: Label,
): Promise<void> {
  const pipeline = openPicture(picture);
  if (label.text !== undefined) {
    const overlay = await paintLabel(await loadGlyphs(), label.text, picture);
    const raw = { width: overlay.widthPx, height: overlay.heightPx, channels: 2 } as const;
    pipeline.composite([
      { input: Buffer.from(overlay.pixels), raw, left: overlay.xPx, top: overlay.yPx },
    ]);
  }
  await pipeline.png({ compressionLevel: 6 }).toFile(bare);
  const xmp = xmpPacket(aigcLabel(label));
  await writeAtomically(output, (temporary) => copyPngWithXmp(bare, temporary, xmp));
}
