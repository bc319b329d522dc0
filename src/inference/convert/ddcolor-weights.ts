import { CheckpointDamaged, CheckpointUnfit } from '../../studio/errors/index.js';
import type { Floats, Weight } from './weight.js';

/** Weights of the network by key; every shape is checked when the key is taken. */
export interface DdcolorWeights {
  /**
   * A weight that must exist in this shape; read when called.
   * @throws {CheckpointUnfit} at once, when it is missing or of another shape or type.
   */
  take(key: string, shape: readonly number[]): () => Floats;
  /** Keys nobody took. */
  unused(): string[];
}

/** Weight and bias per channel of a layer that only scales and shifts. */
export interface Affine {
  readonly scale: Floats;
  readonly shift: Floats;
}

/** eps of batch norm. */
const BATCH_NORM_EPS = 1e-5;

/** Wrap weights so that the graph builders take them by key and shape. */
export function createDdcolorWeights(weights: ReadonlyMap<string, Weight>): DdcolorWeights {
  const taken = new Set<string>();
  return {
    take: (key, shape) => {
      const weight = weights.get(key);
      if (!weight) throw new CheckpointUnfit(key, `[${shape}]`, 'nothing');
      if (String(weight.shape) !== String(shape))
        throw new CheckpointUnfit(key, `[${shape}]`, `[${weight.shape}]`);
      if (weight.type === 'other' || weight.type === 'int64')
        throw new CheckpointUnfit(key, 'floating-point numbers', 'whole numbers');
      taken.add(key);
      return () => finite(key, weight.read());
    },
    unused: () => [...weights.keys()].filter((key) => !taken.has(key)),
  };
}

/** A broken download or a diverged training: the network would answer NaN for every photo. */
function finite(key: string, values: Floats): Floats {
  // Zero times anything finite is zero; one pass without a branch per number.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  if (sum !== 0) throw new CheckpointDamaged(key, 'it contains numbers that are not finite');
  return values;
}

/** Layer norm's weight and bias. */
export function takeAffine(weights: DdcolorWeights, prefix: string, size: number): () => Affine {
  const scale = weights.take(`${prefix}.weight`, [size]);
  const shift = weights.take(`${prefix}.bias`, [size]);
  return () => ({ scale: scale(), shift: shift() });
}

/** Batch norm at inference: (x - mean) / sqrt(variance + eps) * weight + bias. */
export function takeBatchNorm(weights: DdcolorWeights, prefix: string, size: number): () => Affine {
  const affine = takeAffine(weights, prefix, size);
  const mean = weights.take(`${prefix}.running_mean`, [size]);
  const variance = weights.take(`${prefix}.running_var`, [size]);
  return () => {
    const { scale, shift } = affine();
    const [means, variances] = [mean(), variance()];
    const factor = scale.map((s, i) => s / Math.sqrt(variances[i]! + BATCH_NORM_EPS));
    return { scale: factor, shift: shift.map((b, i) => b - means[i]! * factor[i]!) };
  };
}

/**
 * A convolution weight under spectral norm: weight_orig / sigma with sigma = u . (M v) from the
 * *stored* vectors, which need not have converged, so no singular value is computed.
 * @see Miyato et al., Spectral Normalization, ICLR 2018
 */
export function takeSpectral(
  weights: DdcolorWeights,
  prefix: string,
  shape: readonly [number, number, number, number],
): () => Floats {
  const [out, inputs, height, width] = shape;
  const columns = inputs * height * width;
  const original = weights.take(`${prefix}.weight_orig`, shape);
  const left = weights.take(`${prefix}.weight_u`, [out]);
  const right = weights.take(`${prefix}.weight_v`, [columns]);
  return () => {
    const values = original();
    const sigma = bilinear(left(), values, right());
    if (!(Math.abs(sigma) > 0))
      throw new CheckpointDamaged(prefix, 'its spectral norm is zero: u and v are empty');
    for (let i = 0; i < values.length; i++) values[i]! /= sigma;
    return values;
  };
}

/** u . (M v) in double precision; M row-major [u.length, v.length]. */
function bilinear(u: Floats, m: Floats, v: Floats): number {
  let total = 0;
  for (let row = 0, at = 0; row < u.length; row++) {
    let dot = 0;
    for (let column = 0; column < v.length; column++) dot += m[at++]! * v[column]!;
    total += u[row]! * dot;
  }
  return total;
}
