import type { ChromaOffsets } from './chroma-adjust.js';
import { createLayout } from './kernel-memory.js';
import type { RecombineKit } from './recombine-kit.js';

/** Lightness contrast, in L*, below which a difference is grain and not an edge. */
const GRAIN_L_STAR = 4;
const EPSILON = (GRAIN_L_STAR / 116) ** 2;

/** Planes of a guided grid: offset and slope of u and of v, lowest and highest lightness. */
export const GUIDED_PLANES = 6;
const SCRATCH_PLANES = 5;

/**
 * Guided enlargement of chroma: on the small grid chroma is fitted, 3 x 3 by 3 x 3, as a straight
 * line of lightness; the line's slope and what the line leaves over are enlarged, so that the
 * full-size picture takes the fine edges of its own lightness while every grid point keeps exactly
 * the colour the network gave it. (The plain guided filter also smooths the colours themselves: on
 * photographs that costs more than it gains.) Outside the lightness a line was fitted to it is
 * held, not extended.
 * @param f lightness at the plane's size, mean of each cell.
 * @param planes filled with offset u, offset v, slope u, slope v, lowest f, highest f.
 * @see He, Sun: Fast Guided Filter, arXiv:1505.00996
 */
export function fillGuidedPlanes(
  { kernel, memory, free }: RecombineKit,
  f: Float64Array,
  { widthPx, heightPx, u, v }: ChromaOffsets,
  planes: Float32Array,
): void {
  const layout = createLayout(memory, free);
  const plane = 4 * widthPx * heightPx;
  const at = {
    f: layout.take(new Float32Array(f)),
    u: layout.take(new Float32Array(u)),
    v: layout.take(new Float32Array(v)),
    planes: layout.reserve(GUIDED_PLANES * plane),
    scratch: layout.reserve(SCRATCH_PLANES * plane),
  };
  layout.write();
  kernel.guided_grid(at.f, at.u, at.v, widthPx, heightPx, EPSILON, at.planes, at.scratch);
  planes.set(new Float32Array(memory.buffer, at.planes, planes.length));
}
