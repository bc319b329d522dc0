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
  const { widthPx: w, heightPx: h } = chroma;
  const mean = (plane: Float64Array) => boxMean(plane, w, h, RADIUS);
  const meanF = mean(f);
  const variance = mean(f.map((x) => x * x));
  for (let i = 0; i < variance.length; i++) variance[i]! -= meanF[i]! ** 2;

  const fit = (p: Float64Array): [slope: Float64Array, offset: Float64Array] => {
    const meanP = mean(p);
    const covariance = mean(p.map((x, i) => x * f[i]!));
    for (let i = 0; i < covariance.length; i++)
      covariance[i] =
        (covariance[i]! - meanF[i]! * meanP[i]!) / (Math.max(0, variance[i]!) + EPSILON);
    const slope = mean(covariance);
    return [slope, p.map((x, i) => x - slope[i]! * f[i]!)];
  };
  const [slopeU, offsetU] = fit(chroma.u);
  const [slopeV, offsetV] = fit(chroma.v);
  const low = extreme(f, w, h, Math.min);
  const high = extreme(f, w, h, Math.max);
  return { slopeU, offsetU, slopeV, offsetV, low, high };
}

/** Mean over (2r + 1)², windows cut at the border. Running sums: cost does not depend on r. */
export function boxMean(plane: Float64Array, w: number, h: number, r: number): Float64Array {
  const rows = new Float64Array(plane.length);
  for (let y = 0; y < h; y++) {
    runningMean(plane, rows, y * w, 1, w, r);
  }
  const out = new Float64Array(plane.length);
  for (let x = 0; x < w; x++) runningMean(rows, out, x, w, h, r);
  return out;
}

function runningMean(
  from: Float64Array,
  to: Float64Array,
  start: number,
  stride: number,
  count: number,
  r: number,
): void {
  let sum = 0;
  let inside = 0;
  for (let i = 0; i < Math.min(r, count); i++, inside++) sum += from[start + i * stride]!;
  for (let i = 0; i < count; i++) {
    if (i + r < count) {
      sum += from[start + (i + r) * stride]!;
      inside++;
    }
    if (i - r > 0) {
      sum -= from[start + (i - r - 1) * stride]!;
      inside--;
    }
    to[start + i * stride] = sum / inside;
  }
}

/** Minimum or maximum over 3 x 3. */
function extreme(
  plane: Float64Array,
  w: number,
  h: number,
  pick: (a: number, b: number) => number,
): Float64Array {
  const rows = new Float64Array(plane.length);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const i = y * w + x;
      const left = plane[x > 0 ? i - 1 : i]!;
      const right = plane[x + 1 < w ? i + 1 : i]!;
      rows[i] = pick(plane[i]!, pick(left, right));
    }
  return rows.map((value, i) => {
    const above = rows[i >= w ? i - w : i]!;
    const below = rows[i + w < plane.length ? i + w : i]!;
    return pick(value, pick(above, below));
  });
}
