import type { Affine } from './ddcolor-weights.js';
import type { Floats } from './weight.js';

/**
 * Arithmetic on weights that moves neighbouring layers into one. A linear layer is its weight
 * `[out, rest...]` row-major, with the columns of one input channel next to each other
 * (`columnsPerInput` = kernel height x width), and its bias `[out]`.
 */
export interface Linear {
  readonly weight: Floats;
  readonly bias: Floats;
}

/** `affine` before the layer: W (s x + t) + b = (W s) x + (b + W t). Exact where nothing pads. */
export function foldBefore(layer: Linear, affine: Affine, columnsPerInput = 1): Linear {
  const { weight, bias } = layer;
  const inputs = affine.scale.length;
  const folded = new Float32Array(weight.length);
  const shifted = new Float32Array(bias.length);
  for (let row = 0, at = 0; row < bias.length; row++) {
    let sum = bias[row]!;
    for (let input = 0; input < inputs; input++) {
      const [scale, shift] = [affine.scale[input]!, affine.shift[input]!];
      for (let column = 0; column < columnsPerInput; column++, at++) {
        folded[at] = weight[at]! * scale;
        sum += weight[at]! * shift;
      }
    }
    shifted[row] = sum;
  }
  return { weight: folded, bias: shifted };
}

/** `affine` after the layer: s (W x + b) + t = (s W) x + (s b + t). */
export function foldAfter({ weight, bias }: Linear, { scale, shift }: Affine): Linear {
  return {
    weight: scaleRows(weight, scale),
    bias: bias.map((value, row) => value * scale[row]! + shift[row]!),
  };
}

/** Each row times its own factor. */
export function scaleRows(matrix: Floats, factors: Floats): Floats {
  const columns = matrix.length / factors.length;
  const out = new Float32Array(matrix.length);
  for (let row = 0, at = 0; row < factors.length; row++) {
    const factor = factors[row]!;
    for (let column = 0; column < columns; column++, at++) out[at] = matrix[at]! * factor;
  }
  return out;
}

/** Each column times its own factor. */
export function scaleColumns(matrix: Floats, factors: Floats): Floats {
  const columns = factors.length;
  const out = new Float32Array(matrix.length);
  for (let start = 0; start < matrix.length; start += columns)
    for (let column = 0; column < columns; column++)
      out[start + column] = matrix[start + column]! * factors[column]!;
  return out;
}

/** Every number times one factor. */
export function scaleAll(matrix: Floats, factor: number): Floats {
  return scaleColumns(matrix, Float32Array.of(factor));
}

/** First one affine, then another. */
export function compose(first: Affine, second: Affine): Affine {
  return {
    scale: first.scale.map((value, i) => value * second.scale[i]!),
    shift: first.shift.map((value, i) => value * second.scale[i]! + second.shift[i]!),
  };
}

/** The affine of input normalisation: (x - mean) / std. */
export function normalization(mean: Floats, std: Floats): Affine {
  return {
    scale: std.map((value) => 1 / value),
    shift: mean.map((value, i) => -value / std[i]!),
  };
}

/** `[rows, columns]` to `[columns, rows]`. */
export function transpose(matrix: Floats, rows: number, columns: number): Floats {
  const out = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = matrix[row * columns + column]!;
  return out;
}

/** `[rows, inner] x [inner, columns]`, summed in double precision. */
export function multiply(a: Floats, b: Floats, inner: number): Floats {
  const [rows, columns] = [a.length / inner, b.length / inner];
  const out = new Float32Array(rows * columns);
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const factor = a[row * inner + k]!;
      for (let column = 0; column < columns; column++)
        sums[column]! += factor * b[k * columns + column]!;
    }
    out.set(sums, row * columns);
  }
  return out;
}
