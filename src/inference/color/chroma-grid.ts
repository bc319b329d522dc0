import type { ChromaUpsampling } from '../../studio/ports/colorizer.js';
import type { ChromaOffsets } from './chroma-adjust.js';
import { fillGuidedPlanes, GUIDED_PLANES } from './guided-filter.js';
import type { RecombineKit } from './recombine-kit.js';

/**
 * What the row kernel enlarges, at the plane's size. Planes one after another, in shared memory,
 * so that every thread reads the same copy:
 * guided: offsetU, offsetV, slopeU, slopeV, low, high; otherwise: u, v.
 */
export interface ChromaGrid {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly upsampling: ChromaUpsampling;
  readonly planes: Float32Array;
}

/** Planes of a grid at the size of the chroma: u and v, or what the guided enlargement needs. */
export const planeCount = (upsampling: ChromaUpsampling): number =>
  upsampling === 'guided' ? GUIDED_PLANES : 2;

/**
 * @param f lightness of the photo at the plane's size.
 * @param kit its kernel does the work; a recombiner made from it before is ended.
 */
export function buildChromaGrid(
  chroma: ChromaOffsets,
  f: Float64Array,
  upsampling: ChromaUpsampling,
  kit: RecombineKit,
): ChromaGrid {
  const { widthPx, heightPx } = chroma;
  const count = widthPx * heightPx;
  const planes = new Float32Array(new SharedArrayBuffer(4 * planeCount(upsampling) * count));
  if (upsampling === 'guided') fillGuidedPlanes(kit, f, chroma, planes);
  else {
    planes.set(chroma.u);
    planes.set(chroma.v, count);
  }
  return { widthPx, heightPx, upsampling, planes };
}

/** Runs of output pixels that lie between the same two grid columns. */
export interface Segments {
  /** First pixel of each run, and one past the last pixel of the last run. */
  readonly start: Int32Array;
  /** Left grid column of the run. */
  readonly cell: Int32Array;
  /** Position of the run's first pixel between column and column + 1, 0..1. */
  readonly phase: Float32Array;
  /** What one pixel adds to the position; 0 where the value is held. */
  readonly step: Float32Array;
}

/**
 * Bilinear as OpenCV and PyTorch (align_corners = false): pixel centres meet, borders are held.
 * `reference` is nearest as torch's `interpolate`: column floor(x * grid / width).
 */
export function segmentsOf(width: number, grid: number, upsampling: ChromaUpsampling): Segments {
  const runs: { start: number; cell: number; phase: number; step: number }[] = [];
  for (let x = 0; x < width; x++) {
    const run = gridPosition(x, width, grid, upsampling);
    const last = runs.at(-1);
    const joins = last && last.cell === run.cell && last.step === run.step;
    if (!joins || (run.step === 0 && last.phase !== run.phase)) runs.push({ start: x, ...run });
  }
  return {
    start: Int32Array.from([...runs.map((r) => r.start), width]),
    cell: Int32Array.from(runs, (r) => r.cell),
    phase: Float32Array.from(runs, (r) => r.phase),
    step: Float32Array.from(runs, (r) => r.step),
  };
}

function between(x: number, scale: number, grid: number) {
  const at = (x + 0.5) * scale - 0.5;
  if (at <= 0) return { cell: 0, phase: 0, step: 0 };
  if (at >= grid - 1) return { cell: Math.max(0, grid - 2), phase: grid > 1 ? 1 : 0, step: 0 };
  const cell = Math.floor(at);
  return { cell, phase: at - cell, step: scale };
}

function nearest(x: number, scale: number, grid: number) {
  const column = Math.min(Math.floor(x * scale), grid - 1);
  return column < grid - 1
    ? { cell: column, phase: 0, step: 0 }
    : { cell: Math.max(0, grid - 2), phase: grid > 1 ? 1 : 0, step: 0 };
}

/** Where output row (or column) `i` of `size` lies on a grid of `grid`: cell, and share to the next. */
export function gridPosition(
  i: number,
  size: number,
  grid: number,
  upsampling: ChromaUpsampling,
): { readonly cell: number; readonly phase: number; readonly step: number } {
  const scale = grid / size;
  return upsampling === 'reference' ? nearest(i, scale, grid) : between(i, scale, grid);
}
