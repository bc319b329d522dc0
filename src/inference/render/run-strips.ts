import { openRaster, type RasterFile } from '../codec/raster.js';
import { F_BLACK } from '../color/lab.js';
import type { Samples } from '../color/lightness.js';
import { createRecombiner, type RecombineKit } from '../color/recombine.js';
import { applyContrast } from '../finishing/contrast.js';
import {
  DENOISE_HALO_ROWS,
  denoise,
  SHARPEN_HALO_ROWS,
  sharpen,
} from '../finishing/lightness-filter.js';
import { blendRow } from '../label/overlay.js';
import { NEXT_STRIP, STOP, type StripTask } from './strip-job.js';

/**
 * Colours strips of the source raster into the target raster until none is left or the caller
 * stops. Several threads run this on the same task at once.
 * @param onStrip after each strip.
 */
export function runStrips(task: StripTask, kit: RecombineKit, onStrip: () => void): void {
  const source = openRaster(task.source, 'r');
  const target = openRaster(task.target, 'r+');
  try {
    const strip = createStripWorker(task, kit, source, target);
    const height = source.shape.heightPx;
    for (;;) {
      const y = Atomics.add(task.control, NEXT_STRIP, 1) * task.stripRows;
      if (y >= height || Atomics.load(task.control, STOP) !== 0) return;
      strip(y, Math.min(task.stripRows, height - y));
      onStrip();
    }
  } finally {
    source.close();
    target.close();
  }
}

function createStripWorker(
  task: StripTask,
  kit: RecombineKit,
  source: RasterFile,
  target: RasterFile,
) {
  const { widthPx: width, heightPx: height, channels: inChannels } = source.shape;
  const { widthPx: outWidth, channels: outChannels } = target.shape;
  const halo =
    (task.denoise > 0 ? DENOISE_HALO_ROWS : 0) + (task.sharpen > 0 ? SHARPEN_HALO_ROWS : 0);
  const finishes = halo > 0 || task.curves !== undefined;
  const inRows = task.stripRows + 2 * halo;
  const kernel = createRecombiner(kit, {
    grid: task.grid,
    widthPx: width,
    heightPx: height,
    inChannels,
    inDepth: source.shape.bitDepth,
    inRows,
    outChannels,
    outDepth: target.shape.bitDepth,
    outSamples: task.stripRows * outWidth * outChannels,
    finishingRows: finishes ? inRows : 0,
  });
  const inSamples = samplesOf(kernel.input, source.shape.bitDepth);
  const outSamples = samplesOf(kernel.output, target.shape.bitDepth);
  const left = task.dividerPx > 0 ? width + task.dividerPx : 0;

  return (y0: number, rows: number): void => {
    const top = Math.max(0, y0 - halo);
    const bottom = Math.min(height, y0 + rows + halo);
    source.readRows(top, bottom - top, kernel.input);
    if (finishes) finish(top, bottom);
    for (let y = y0; y < y0 + rows; y++) {
      const row = y - top;
      const inOffset = row * width * inChannels;
      const outRow = (y - y0) * outWidth * outChannels;
      const outOffset = outRow + left * outChannels;
      kernel.combine(y, row, outOffset, finishes ? row : undefined);
      if (outChannels === 4) copyAlpha(inOffset, outOffset);
      if (left > 0) copyOriginal(inOffset, outRow);
      for (const overlay of task.overlays)
        blendRow(overlay, {
          samples: outSamples,
          offset: outRow,
          channels: outChannels,
          widthPx: outWidth,
          y,
        });
    }
    target.writeRows(y0, rows, kernel.output);
  };

  function finish(top: number, bottom: number): void {
    const rows = bottom - top;
    for (let row = 0; row < rows; row++) kernel.readLightness(row, row);
    let f = kernel.finishing.subarray(0, rows * width);
    if (task.denoise > 0) f = denoise({ widthPx: width, rows, f }, task.denoise);
    if (task.curves)
      for (let y = 0; y < rows; y++)
        applyContrast(task.curves, f.subarray(y * width, (y + 1) * width), top + y, height);
    if (task.sharpen > 0) f = sharpen({ widthPx: width, rows, f }, task.sharpen);
    for (let i = 0; i < f.length; i++) kernel.finishing[i] = Math.min(1, Math.max(F_BLACK, f[i]!));
  }

  function copyAlpha(inOffset: number, outOffset: number): void {
    for (let x = 0; x < width; x++)
      outSamples[outOffset + 4 * x + 3] = scaled(inSamples[inOffset + (x + 1) * inChannels - 1]!);
  }

  /** The original as it came, then the divider. */
  function copyOriginal(inOffset: number, outRow: number): void {
    const colours = inChannels < 3 ? 1 : 3;
    const white = target.shape.bitDepth === 16 ? 65_535 : 255;
    for (let x = 0; x < left; x++) {
      const to = outRow + x * outChannels;
      const from = inOffset + x * inChannels;
      for (let c = 0; c < 3; c++)
        outSamples[to + c] = x < width ? scaled(inSamples[from + (colours === 1 ? 0 : c)]!) : white;
      if (outChannels === 4)
        outSamples[to + 3] = x < width ? scaled(inSamples[from + inChannels - 1]!) : white;
    }
  }

  function scaled(sample: number): number {
    if (source.shape.bitDepth === target.shape.bitDepth) return sample;
    return source.shape.bitDepth === 16 ? Math.round(sample / 257) : sample * 257;
  }
}

const samplesOf = (bytes: Uint8Array, bitDepth: 8 | 16): Samples =>
  bitDepth === 16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
