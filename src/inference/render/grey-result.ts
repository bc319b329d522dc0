import { type ChromaPlane, meanChromaOf } from '../../studio/chroma-plane.js';
import { openRaster, type RasterLayout } from '../codec/raster.js';

/** Rows looked at; colour that none of them shows is not worth speaking of. */
const ROWS = 16;
/** Mean distance of a pixel's largest and smallest sample, in steps of 8 bits. */
const GREY_STEPS = 1;
/** Mean a*b* above which a plane has colour; below it the network is to blame, which says so. */
const PLANE_CHROMA = 4;

/**
 * A plane has colour and the result has none: the photo is pure black and white, as scans of line
 * art and faxes are, and lightness that is kept exactly leaves no room for any.
 * @param fromPx first column of the result; a comparison has the original left of it.
 */
export function lostItsColour(
  raster: string,
  layout: RasterLayout,
  plane: ChromaPlane,
  fromPx: number,
): boolean {
  if (meanChromaOf(plane.ab) < PLANE_CHROMA) return false;
  const { widthPx, heightPx, channels, bitDepth } = layout.shape;
  const file = openRaster(raster, 'r', layout);
  try {
    const bytes = new Uint8Array(widthPx * channels * (bitDepth / 8));
    const row = bitDepth === 16 ? new Uint16Array(bytes.buffer) : bytes;
    const rows = Math.min(ROWS, heightPx);
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      file.readRows(Math.floor(((i + 0.5) * heightPx) / rows), 1, bytes);
      for (let at = fromPx * channels; at < row.length; at += channels) {
        const [r, g, b] = [row[at]!, row[at + 1]!, row[at + 2]!];
        sum += Math.max(r, g, b) - Math.min(r, g, b);
      }
    }
    const step = (2 ** bitDepth - 1) / 255;
    return sum / (rows * (widthPx - fromPx)) < GREY_STEPS * step;
  } finally {
    file.close();
  }
}
