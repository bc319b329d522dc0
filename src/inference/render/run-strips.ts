import { openRaster, type RasterFile, rowBytes } from '../codec/raster.js';
import { gridRow, planeCount, segmentsOf } from '../color/chroma-grid.js';
import { type Combiner, createCombiner } from '../color/combine.js';
import { createLightnessReader, type LightnessReader, type Samples } from '../color/lightness.js';
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
export function runStrips(task: StripTask, onStrip: () => void): void {
  const source = openRaster(task.source, 'r');
  const target = openRaster(task.target, 'r+');
  try {
    const strip = createStripWorker(task, source, target);
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

function createStripWorker(task: StripTask, source: RasterFile, target: RasterFile) {
  const { widthPx: width, heightPx: height, channels: inChannels } = source.shape;
  const { widthPx: outWidth, channels: outChannels } = target.shape;
  const halo =
    (task.denoise > 0 ? DENOISE_HALO_ROWS : 0) + (task.sharpen > 0 ? SHARPEN_HALO_ROWS : 0);
  const finishes = halo > 0 || task.curves !== undefined;
  const inBytes = new Uint8Array((task.stripRows + 2 * halo) * rowBytes(source.shape));
  const outBytes = new Uint8Array(task.stripRows * rowBytes(target.shape));
  const inSamples = samplesOf(inBytes, source.shape.bitDepth);
  const outSamples = samplesOf(outBytes, target.shape.bitDepth);
  const reader: LightnessReader = createLightnessReader(source.shape.bitDepth);
  const combiner: Combiner = createCombiner(target.shape.bitDepth, task.grid.upsampling, width);
  const segments = segmentsOf(width, task.grid.widthPx, task.grid.upsampling);
  const gridWidthPx = task.grid.widthPx;
  const grid = new Float64Array(planeCount(task.grid.upsampling) * gridWidthPx);
  const guide = new Float64Array(width);
  const left = task.dividerPx > 0 ? width + task.dividerPx : 0;

  return (y0: number, rows: number): void => {
    const top = Math.max(0, y0 - halo);
    const bottom = Math.min(height, y0 + rows + halo);
    source.readRows(top, bottom - top, inBytes);
    const finished = finishes ? finish(top, bottom) : undefined;
    for (let y = y0; y < y0 + rows; y++) {
      const inOffset = (y - top) * width * inChannels;
      const outRow = (y - y0) * outWidth * outChannels;
      const outOffset = outRow + left * outChannels;
      reader.read(inSamples, inOffset, inChannels, width, guide);
      gridRow(task.grid, y, height, grid);
      const f = finished?.subarray((y - top) * width, (y - top + 1) * width) ?? guide;
      combiner.combine({
        f,
        guide,
        grid,
        gridWidthPx,
        segments,
        out: outSamples,
        outOffset,
        outChannels,
      });
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
    target.writeRows(y0, rows, outBytes);
  };

  function finish(top: number, bottom: number): Float64Array {
    const rows = bottom - top;
    let f: Float64Array = new Float64Array(rows * width);
    for (let y = 0; y < rows; y++)
      reader.read(inSamples, y * width * inChannels, inChannels, width, lineOf(f, y));
    if (task.denoise > 0) f = denoise({ widthPx: width, rows, f }, task.denoise);
    if (task.curves)
      for (let y = 0; y < rows; y++) applyContrast(task.curves, lineOf(f, y), top + y, height);
    if (task.sharpen > 0) f = sharpen({ widthPx: width, rows, f }, task.sharpen);
    return f;
  }

  function lineOf(f: Float64Array, y: number): Float64Array {
    return f.subarray(y * width, (y + 1) * width);
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
  bitDepth === 16 ? new Uint16Array(bytes.buffer) : bytes;
