import { F_BLACK } from '../color/lab.js';
import { applyContrast, type ContrastCurves } from './contrast.js';
import {
  DENOISE_HALO_ROWS,
  denoise,
  type LightnessBlock,
  SHARPEN_HALO_ROWS,
  sharpen,
} from './lightness-filter.js';

/** What is done to L* after the colours are in. */
export interface LightnessFinishing {
  /** 0 .. 1. */
  readonly denoise: number;
  /** 0 .. 2. */
  readonly sharpen: number;
  readonly curves: ContrastCurves | undefined;
}

/** Rows a strip needs above and below itself, so that its borders show no seam. */
export const haloRows = (finishing: LightnessFinishing): number =>
  (finishing.denoise > 0 ? DENOISE_HALO_ROWS : 0) + (finishing.sharpen > 0 ? SHARPEN_HALO_ROWS : 0);

/** Whether L* comes out other than it went in. */
export const changesLightness = (finishing: LightnessFinishing): boolean =>
  haloRows(finishing) > 0 || finishing.curves !== undefined;

/**
 * Denoise, then contrast, then sharpen, in place.
 * @param top row of the picture the block begins with.
 * @param heightPx rows of the picture.
 */
export function finishLightness(
  { widthPx, rows, f: block }: LightnessBlock,
  finishing: LightnessFinishing,
  top: number,
  heightPx: number,
): void {
  let f = block;
  if (finishing.denoise > 0) f = denoise({ widthPx, rows, f }, finishing.denoise);
  if (finishing.curves)
    for (let y = 0; y < rows; y++) {
      const row = f.subarray(y * widthPx, (y + 1) * widthPx);
      applyContrast(finishing.curves, row, top + y, heightPx);
    }
  if (finishing.sharpen > 0) f = sharpen({ widthPx, rows, f }, finishing.sharpen);
  for (let i = 0; i < block.length; i++) block[i] = Math.min(1, Math.max(F_BLACK, f[i]!));
}
