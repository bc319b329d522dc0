import type { ChromaOffsets } from './chroma-adjust.js';

/**
 * Guided enlargement of chroma: on the small grid chroma is fitted, window by window, as a straight
 * line of lightness; the line's slope and what the line leaves over are enlarged, so that the
 * full-size picture takes the fine edges of its own lightness while every grid point keeps exactly
 * the colour the network gave it. (The plain guided filter also smooths the colours themselves: on
 * photographs that costs more than it gains.)
 * @see He, Sun: Fast Guided Filter, arXiv:1505.00996
 */
export interface GuidedCoefficients {
  /** u = slopeU f + offsetU, v alike. */
  readonly slopeU: Float64Array;
  readonly offsetU: Float64Array;
  readonly slopeV: Float64Array;
  readonly offsetV: Float64Array;
  /** Lightness the line was fitted to; outside it is held, not extended. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Window radius on the small grid. */
const RADIUS = 1;
/** Lightness contrast, in L*, below which a difference is grain and not an edge. */
const GRAIN_L_STAR = 4;
const EPSILON = (GRAIN_L_STAR / 116) ** 2;

/** @param f lightness at the plane's size, mean of each cell. */
export function guidedCoefficients(f: Float64Array, chroma: ChromaOffsets): GuidedCoefficients {
  const { widthPx: w, heightPx: h, u, v } = chroma;
  const mean = (plane: Float64Array) => boxMean(plane, w, h, RADIUS);
  const meanF = mean(f);
  const spread = mean(product(f, f));
  for (let i = 0; i < spread.length; i++)
    spread[i] = Math.max(0, spread[i]! - meanF[i]! * meanF[i]!) + EPSILON;

  const slopeOf = (p: Float64Array): Float64Array => {
    const meanP = mean(p);
    const slope = mean(product(p, f));
    for (let i = 0; i < slope.length; i++)
      slope[i] = (slope[i]! - meanF[i]! * meanP[i]!) / spread[i]!;
    return mean(slope);
  };
  const slopeU = slopeOf(u);
  const slopeV = slopeOf(v);
  const { low, high } = neighbourhood(f, w, h);
  return {
    slopeU,
    offsetU: remainder(u, slopeU, f),
    slopeV,
    offsetV: remainder(v, slopeV, f),
    low,
    high,
  };
}

// Plain loops: map() with a closure takes five times as long on planes of this size.

function product(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i]! * b[i]!;
  return out;
}

/** What the line slope * f leaves over. */
function remainder(p: Float64Array, slope: Float64Array, f: Float64Array): Float64Array {
  const out = new Float64Array(p.length);
  for (let i = 0; i < out.length; i++) out[i] = p[i]! - slope[i]! * f[i]!;
  return out;
}

/** Mean over (2r + 1)², windows cut at the border. Running sums: cost does not depend on r. */
export function boxMean(plane: Float64Array, w: number, h: number, r: number): Float64Array {
  const rows = new Float64Array(plane.length);
  for (let y = 0; y < h; y++) runningMean(plane, rows, y * w, w, r);
  const out = new Float64Array(plane.length);
  // The sums of all columns go down together: memory is read in the order it lies.
  const sums = new Float64Array(w);
  const add = (y: number, sign: number) => {
    for (let x = 0, i = y * w; x < w; x++, i++) sums[x]! += sign * rows[i]!;
  };
  for (let y = 0; y < Math.min(r, h); y++) add(y, 1);
  for (let y = 0; y < h; y++) {
    if (y + r < h) add(y + r, 1);
    if (y - r > 0) add(y - r - 1, -1);
    const inside = Math.min(h - 1, y + r) - Math.max(0, y - r) + 1;
    for (let x = 0, i = y * w; x < w; x++, i++) out[i] = sums[x]! / inside;
  }
  return out;
}

function runningMean(
  from: Float64Array,
  to: Float64Array,
  start: number,
  count: number,
  r: number,
): void {
  let sum = 0;
  let inside = 0;
  for (let i = 0; i < Math.min(r, count); i++, inside++) sum += from[start + i]!;
  for (let i = 0; i < count; i++) {
    if (i + r < count) {
      sum += from[start + i + r]!;
      inside++;
    }
    if (i - r > 0) {
      sum -= from[start + i - r - 1]!;
      inside--;
    }
    to[start + i] = sum / inside;
  }
}

/** Lowest and highest value of each 3 x 3. */
function neighbourhood(plane: Float64Array, w: number, h: number) {
  const rowLow = new Float64Array(plane.length);
  const rowHigh = new Float64Array(plane.length);
  for (let y = 0; y < h; y++) {
    const first = y * w;
    const last = first + w - 1;
    for (let i = first; i <= last; i++) {
      const at = plane[i]!;
      const left = i > first ? plane[i - 1]! : at;
      const right = i < last ? plane[i + 1]! : at;
      rowLow[i] = Math.min(at, left, right);
      rowHigh[i] = Math.max(at, left, right);
    }
  }
  const low = new Float64Array(plane.length);
  const high = new Float64Array(plane.length);
  for (let i = 0; i < plane.length; i++) {
    const above = i >= w ? i - w : i;
    const below = i + w < plane.length ? i + w : i;
    low[i] = Math.min(rowLow[i]!, rowLow[above]!, rowLow[below]!);
    high[i] = Math.max(rowHigh[i]!, rowHigh[above]!, rowHigh[below]!);
  }
  return { low, high };
}
