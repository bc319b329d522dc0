import type { Label, ResultNote } from '../../studio/ports/colorizer.js';
import { writeAtomically } from '../codec/atomic-file.js';
import { encodeRaster } from '../codec/encode.js';
import { openRaster, rowBytes } from '../codec/raster.js';
import { createTiffRaster } from '../codec/tiff-raster.js';
import { aigcLabel, xmpPacket } from '../label/aigc-xmp.js';
import { createLabelPainter } from '../label/label-painter.js';
import { blendRow, type Overlay } from '../label/overlay.js';
import { openPicture, type Picture } from './node-run.js';

const STRIP_ROWS = 64;

/**
 * Write a result as PNG with its label, as SaveImage does, in the depth it has; nodes in between drop
 * metadata.
 * @param temporary a new file name for pixels on the way.
 * @returns what should be known about the label.
 */
export async function savePicture(
  picture: Picture,
  output: string,
  temporary: (extension: string) => string,
  label: Label,
): Promise<readonly ResultNote[]> {
  const source = temporary('.v');
  const target = temporary('.tif');
  await openPicture(picture).toFile(source);
  const { overlays, notes } = await createLabelPainter().paint({ label: label.text }, picture);
  copyWithOverlays(source, target, overlays);
  const xmp = xmpPacket(aigcLabel(label));
  const { bitDepth } = picture;
  await writeAtomically(output, (part) =>
    encodeRaster(target, part, { format: 'png', quality: 100, bitDepth, xmp }),
  );
  return notes;
}

function copyWithOverlays(source: string, target: string, overlays: readonly Overlay[]): void {
  const from = openRaster(source, 'r');
  const { shape } = from;
  const to = openRaster(target, 'r+', createTiffRaster(target, shape, new Uint8Array()));
  try {
    const { widthPx, heightPx, channels, bitDepth } = shape;
    const bytes = new Uint8Array(STRIP_ROWS * rowBytes(shape));
    const samples = bitDepth === 16 ? new Uint16Array(bytes.buffer) : bytes;
    for (let y = 0; y < heightPx; y += STRIP_ROWS) {
      const rows = Math.min(STRIP_ROWS, heightPx - y);
      from.readRows(y, rows, bytes);
      for (let row = 0; row < rows; row++)
        for (const overlay of overlays) {
          const offset = row * widthPx * channels;
          blendRow(overlay, { samples, offset, channels, widthPx, y: y + row });
        }
      to.writeRows(y, rows, bytes);
    }
  } finally {
    from.close();
    to.close();
  }
}
