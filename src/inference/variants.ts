import { limits } from '../studio/limits.js';
import type { Finishing } from '../studio/ports/colorizer.js';

/** One way to colour a photo. */
export interface Variant {
  readonly model: string;
  /** Undefined: the model's own size. */
  readonly sizePx?: number;
  readonly finishing: Finishing;
}

/** What looks may be made of. */
export interface VariantSource {
  readonly models: readonly string[];
  /** Empty: the model's own size only. */
  readonly sizesPx: readonly number[];
  readonly finishing: Finishing;
  /** Other seeds give other finishings; the same seed the same ones. */
  readonly seed: number;
}

/**
 * `count` different ways to colour one photo: first every model at every size, for size alone
 * changes the colours without a clear trend (piddnad/DDColor#54); then the same again with chroma
 * strength (up to 25 % either way) and warmth (up to 0.35) drawn from the seed.
 */
export function planVariants(count: number, source: VariantSource): Variant[] {
  const sizes = source.sizesPx.length > 0 ? source.sizesPx : [undefined];
  // By size, so that a few variants already show every model.
  const plain = sizes.flatMap((sizePx) =>
    source.models.map((model) => ({ model, sizePx, finishing: source.finishing })),
  );
  const random = mulberry32(source.seed);
  return Array.from({ length: count }, (_, i) => {
    const variant = plain[i % plain.length]!;
    return i < plain.length ? variant : { ...variant, finishing: vary(source.finishing, random) };
  });
}

/** Sizes worth trying around a model's own: three quarters and one and a half times as large. */
export function sizesAround(sizePx: number): number[] {
  const { stridePx, minSizePx, maxSizePx } = limits.model;
  const rounded = [1, 0.75, 1.5].map(
    (factor) => Math.round((sizePx * factor) / stridePx) * stridePx,
  );
  return [...new Set(rounded)].filter((size) => size >= minSizePx && size <= maxSizePx);
}

function vary(finishing: Finishing, random: () => number): Finishing {
  const spread = () => random() * 2 - 1;
  const strength = Math.min(1.5, Math.max(0, (finishing.strength ?? 1) * (1 + 0.25 * spread())));
  const warmth = Math.min(1, Math.max(-1, (finishing.warmth ?? 0) + 0.35 * spread()));
  return { ...finishing, strength: round2(strength), warmth: round2(warmth) };
}

const round2 = (value: number) => Math.round(value * 100) / 100;

/** Small seeded generator, uniform in 0..1. @see Tommy Ettinger, mulberry32 (public domain) */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
