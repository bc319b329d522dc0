import { lStarFromF } from './lab.js';

/** Chroma at the plane's size as the pipeline adds it to f: u is a* over 500, v minus b* over 200. */
export interface ChromaOffsets {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly u: Float64Array;
  readonly v: Float64Array;
}

/** What a customer may change about the colours once they are predicted. */
export interface ChromaAdjustment {
  /** 0 .. 1.5, default 1. */
  readonly strength: number;
  /** -1 .. 1, default 0. */
  readonly warmth: number;
  /** 0 .. 1, default 0. */
  readonly whiteBalance: number;
}

/** Full warmth moves every colour this far towards orange (or, negative, towards blue). */
const WARMTH_A = 4;
const WARMTH_B = 14;
/** Chroma above which a pixel is a colour of its own and says nothing about a cast. */
const NEUTRAL_CHROMA = 14;
/** No network means more than this; values beyond are damage. */
const CHROMA_LIMIT = 128;

/**
 * White balance, then strength, then warmth, at the plane's own size.
 * @param ab float32 [2, h, w]: a*, then b*.
 * @param f lightness of the photo at that size.
 */
export function adjustChroma(
  ab: Float32Array,
  widthPx: number,
  heightPx: number,
  f: Float64Array,
  { strength, warmth, whiteBalance }: ChromaAdjustment,
): ChromaOffsets {
  const count = widthPx * heightPx;
  const cast = whiteBalance > 0 ? castOf(ab, f) : { a: 0, b: 0 };
  const u = new Float64Array(count);
  const v = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const a = (bound(ab[i]!) - cast.a * whiteBalance) * strength + warmth * WARMTH_A;
    const b = (bound(ab[count + i]!) - cast.b * whiteBalance) * strength + warmth * WARMTH_B;
    u[i] = a / 500;
    v[i] = -b / 200;
  }
  return { widthPx, heightPx, u, v };
}

/** Mean a*, b* of the near-neutral mid-tones: grey world, restricted to what could be grey. */
function castOf(ab: Float32Array, f: Float64Array): { a: number; b: number } {
  const count = f.length;
  let weight = 0;
  let sumA = 0;
  let sumB = 0;
  for (let i = 0; i < count; i++) {
    const lStar = lStarFromF(f[i]!);
    if (lStar < 15 || lStar > 95) continue;
    const a = bound(ab[i]!);
    const b = bound(ab[count + i]!);
    const w = Math.max(0, 1 - Math.hypot(a, b) / NEUTRAL_CHROMA);
    weight += w;
    sumA += w * a;
    sumB += w * b;
  }
  return weight > 0 ? { a: sumA / weight, b: sumB / weight } : { a: 0, b: 0 };
}

function bound(x: number): number {
  if (!(x > -CHROMA_LIMIT)) return Number.isNaN(x) ? 0 : -CHROMA_LIMIT;
  return x < CHROMA_LIMIT ? x : CHROMA_LIMIT;
}
