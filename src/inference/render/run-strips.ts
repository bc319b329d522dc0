import { openRaster, type RasterFile } from '../codec/raster.js';
import type { Samples } from '../color/lightness.js';
import { createRecombiner, type Recombiner } from '../color/recombine.js';
import type { RecombineKit } from '../color/recombine-kit.js';
import { changesLightness, finishLightness, haloRows } from '../finishing/finish-lightness.js';
import { blendRow } from '../label/overlay.js';
import { createOriginalPixels } from './original-pixels.js';
import { NEXT_STRIP, STOP, type StripTask } from './strip-job.js';

/**
 * Colours strips of the source raster into the target raster until none is left or the caller
 * stops. Several threads run this on the same task at once.
 * @param onStrip after each strip.
 */
export function runStrips(task: StripTask, kit: RecombineKit, onStrip: () => void): void {
  const source = openRaster(task.source, 'r');
  const target = openRaster(task.target, 'r+', task.targetLayout);
  try {
    const colourStrip = createStripColourer(task, kit, source, target);
    const height = source.shape.heightPx;
    for (;;) {
      const y = Atomics.add(task.control, NEXT_STRIP, 1) * task.stripRows;
      if (y >= height || Atomics.load(task.control, STOP) !== 0) return;
      colourStrip(y, Math.min(task.stripRows, height - y));
      onStrip();
    }
  } finally {
    source.close();
    target.close();
  }
}

/** @returns colours `rows` rows from y0 on and writes them to the target. */
function createStripColourer(
  task: StripTask,
  kit: RecombineKit,
  source: RasterFile,
  target: RasterFile,
): (y0: number, rows: number) => void {
  const { widthPx, heightPx, channels } = source.shape;
  const halo = haloRows(task);
  const finishes = changesLightness(task);
  const kernel = openKernel(task, kit, source, target, task.stripRows + 2 * halo, finishes);
  const colourRow = createRowColourer(task, kernel, source, target);

  return (y0, rows) => {
    const top = Math.max(0, y0 - halo);
    const bottom = Math.min(heightPx, y0 + rows + halo);
    source.readRows(top, bottom - top, kernel.input);
    if (finishes) {
      for (let row = 0; row < bottom - top; row++) kernel.readLightness(row, row);
      const f = kernel.finishing.subarray(0, (bottom - top) * widthPx);
      finishLightness({ widthPx, rows: bottom - top, f }, task, top, heightPx);
    }
    for (let y = y0; y < y0 + rows; y++) {
      const row = y - top;
      colourRow(y, row, row * widthPx * channels, y - y0, finishes ? row : undefined);
    }
    target.writeRows(y0, rows, kernel.output);
  };
}

function openKernel(
  task: StripTask,
  kit: RecombineKit,
  source: RasterFile,
  target: RasterFile,
  inRows: number,
  finishes: boolean,
): Recombiner {
  const { widthPx, heightPx, channels: inChannels, bitDepth: inDepth } = source.shape;
  const { widthPx: outWidth, channels: outChannels, bitDepth: outDepth } = target.shape;
  return createRecombiner(kit, {
    grid: task.grid,
    widthPx,
    heightPx,
    inChannels,
    inDepth,
    inRows,
    outChannels,
    outDepth,
    outSamples: task.stripRows * outWidth * outChannels,
    finishingRows: finishes ? inRows : 0,
  });
}

/** One row: chroma, alpha, the original beside it, labels on top. */
function createRowColourer(
  { dividerPx, overlays }: StripTask,
  kernel: Recombiner,
  source: RasterFile,
  target: RasterFile,
) {
  const { widthPx: outWidth, channels: outChannels } = target.shape;
  const input = samplesOf(kernel.input, source.shape.bitDepth);
  const output = samplesOf(kernel.output, target.shape.bitDepth);
  const original = createOriginalPixels(source.shape, target.shape);
  const left = dividerPx > 0 ? source.shape.widthPx + dividerPx : 0;
  return (
    y: number,
    row: number,
    inOffset: number,
    outRow: number,
    finished: number | undefined,
  ): void => {
    const rowOffset = outRow * outWidth * outChannels;
    const outOffset = rowOffset + left * outChannels;
    kernel.combine(y, row, outOffset, finished);
    // After the kernel, whose vectors may have run over the start of the next row.
    if (outChannels === 4) original.alpha(input, inOffset, output, outOffset);
    if (left > 0) original.row(input, inOffset, output, rowOffset, dividerPx);
    const line = { samples: output, offset: rowOffset, channels: outChannels };
    // The photo as it was sent is its owner's: no watermark over it.
    for (const overlay of overlays)
      blendRow(overlay, { ...line, widthPx: outWidth, y, fromPx: left });
  };
}

const samplesOf = (bytes: Uint8Array, bitDepth: 8 | 16): Samples =>
  bitDepth === 16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
