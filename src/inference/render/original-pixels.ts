import type { RasterShape } from '../codec/raster.js';
import type { Samples } from '../color/lightness.js';

/** Copies what a render takes from the photo unchanged, between depths and channel counts. */
export interface OriginalPixels {
  /** Alpha of one row: last sample of each source pixel to the fourth of each target pixel. */
  alpha(from: Samples, fromOffset: number, to: Samples, toOffset: number): void;
  /** One row of the photo as it came, then a white divider. */
  row(from: Samples, fromOffset: number, to: Samples, toOffset: number, dividerPx: number): void;
}

/** Copies between a photo's raster and the result's, whatever depth and channels they have. */
export function createOriginalPixels(source: RasterShape, target: RasterShape): OriginalPixels {
  const { widthPx, channels } = source;
  const step = target.channels;
  const white = 2 ** target.bitDepth - 1;
  const scaled = scaler(source.bitDepth, target.bitDepth);
  const colours = channels < 3 ? [0, 0, 0] : [0, 1, 2];

  function alpha(from: Samples, fromOffset: number, to: Samples, toOffset: number): void {
    for (let x = 0; x < widthPx; x++)
      to[toOffset + x * step + 3] = scaled(from[fromOffset + (x + 1) * channels - 1]!);
  }

  return {
    alpha,
    row(from, fromOffset, to, toOffset, dividerPx) {
      for (let x = 0; x < widthPx; x++)
        for (const [i, c] of colours.entries())
          to[toOffset + x * step + i] = scaled(from[fromOffset + x * channels + c]!);
      if (step === 4) alpha(from, fromOffset, to, toOffset);
      const end = toOffset + widthPx * step;
      to.fill(white, end, end + dividerPx * step);
    },
  };
}

function scaler(from: 8 | 16, to: 8 | 16): (sample: number) => number {
  if (from === to) return (sample) => sample;
  return from === 16 ? (sample) => Math.round(sample / 257) : (sample) => sample * 257;
}
