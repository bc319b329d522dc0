/** Rows above and below a strip that the filters look at. */
export const DENOISE_HALO_ROWS = 4;

/** Rows above and below a strip that sharpening looks at. */
export const SHARPEN_HALO_ROWS = 2;

/** Rows of lightness f, one after another. */
export interface LightnessBlock {
  readonly widthPx: number;
  readonly rows: number;
  readonly f: Float32Array;
}

const WINDOW_RADIUS = 2;
/** Grain of this size, in L*, is gone at strength 1. */
const GRAIN_L_STAR = 5;

/**
 * Edge-preserving smoothing: a guided filter of the picture by itself. Where the window's contrast
 * is below the grain it becomes the mean, at edges the pixel stays.
 * @param strength 0 .. 1.
 * @returns the block smoothed; the outer DENOISE_HALO_ROWS rows are valid only at picture borders.
 */
export function denoise(block: LightnessBlock, strength: number): Float32Array {
  const { widthPx, rows } = block;
  const f = new Float64Array(block.f);
  const epsilon = ((strength * GRAIN_L_STAR) / 116) ** 2;
  const mean = boxMean(f, widthPx, rows, WINDOW_RADIUS);
  const slope = boxMean(
    f.map((x) => x * x),
    widthPx,
    rows,
    WINDOW_RADIUS,
  );
  const offset = new Float64Array(f.length);
  for (let i = 0; i < f.length; i++) {
    const variance = Math.max(0, slope[i]! - mean[i]! ** 2);
    const a = variance / (variance + epsilon);
    slope[i] = a;
    offset[i] = mean[i]! * (1 - a);
  }
  const meanSlope = boxMean(slope, widthPx, rows, WINDOW_RADIUS);
  const meanOffset = boxMean(offset, widthPx, rows, WINDOW_RADIUS);
  return block.f.map((x, i) => meanOffset[i]! + meanSlope[i]! * x);
}

/** Mean over (2r + 1)², windows cut at the border. Running sums: cost does not depend on r. */
function boxMean(plane: Float64Array, w: number, h: number, r: number): Float64Array {
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

/** Binomial weights, about a Gaussian of sigma 1. */
const WEIGHTS = [6 / 16, 4 / 16, 1 / 16] as const;
/** A pixel may leave the range of its 3 x 3 neighbours by this share of it: no white outlines. */
const OVERSHOOT = 0.15;

/**
 * Unsharp mask with limited overshoot.
 * @param amount 0 .. 2.
 * @returns the block sharpened; the outer SHARPEN_HALO_ROWS rows are valid only at picture borders.
 */
export function sharpen({ widthPx: w, rows, f }: LightnessBlock, amount: number): Float32Array {
  const blurred = blur(f, w, rows);
  const out = new Float32Array(f.length);
  for (let y = 0; y < rows; y++) {
    const up = y > 0 ? -w : 0;
    const down = y + 1 < rows ? w : 0;
    for (let x = 0; x < w; x++) {
      const i = y * w + x;
      const left = x > 0 ? -1 : 0;
      const right = x + 1 < w ? 1 : 0;
      let low = f[i]!;
      let high = low;
      for (let row = i + up, end = i + down; ; row = row === i + up && up !== 0 ? i : end) {
        for (let k = row + left; k <= row + right; k++) {
          const value = f[k]!;
          if (value < low) low = value;
          else if (value > high) high = value;
        }
        if (row === end) break;
      }
      const slack = (high - low) * OVERSHOOT;
      const value = f[i]! + amount * (f[i]! - blurred[i]!);
      out[i] = value < low - slack ? low - slack : value > high + slack ? high + slack : value;
    }
  }
  return out;
}

function blur(f: Float32Array, w: number, rows: number): Float32Array {
  const [c0, c1, c2] = WEIGHTS;
  const across = new Float32Array(f.length);
  for (let y = 0; y < rows; y++) {
    const line = y * w;
    for (let x = 0; x < w; x++) {
      const l1 = line + Math.max(0, x - 1);
      const l2 = line + Math.max(0, x - 2);
      const r1 = line + Math.min(w - 1, x + 1);
      const r2 = line + Math.min(w - 1, x + 2);
      across[line + x] = c0 * f[line + x]! + c1 * (f[l1]! + f[r1]!) + c2 * (f[l2]! + f[r2]!);
    }
  }
  const out = new Float32Array(f.length);
  for (let y = 0; y < rows; y++) {
    const lines = [-2, -1, 0, 1, 2].map((d) => Math.min(rows - 1, Math.max(0, y + d)) * w);
    const [a2, a1, at, b1, b2] = lines as [number, number, number, number, number];
    for (let x = 0; x < w; x++)
      out[at + x] =
        c0 * across[at + x]! +
        c1 * (across[a1 + x]! + across[b1 + x]!) +
        c2 * (across[a2 + x]! + across[b2 + x]!);
  }
  return out;
}
