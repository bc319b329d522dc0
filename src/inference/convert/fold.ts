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
  const columns = weight.length / bias.length;
  const folded = new Float32Array(weight.length);
  const shifted = bias.map((start, row) => {
    let sum = start;
    for (let column = 0, at = row * columns; column < columns; column++, at++) {
      const input = Math.floor(column / columnsPerInput);
      folded[at] = weight[at]! * affine.scale[input]!;
      sum += weight[at]! * affine.shift[input]!;
    }
    return sum;
  });
  return { weight: folded, bias: shifted };
}

/** `affine` after the layer: s (W x + b) + t = (s W) x + (s b + t). */
export function foldAfter({ weight, bias }: Linear, { scale, shift }: Affine): Linear {
  const columns = weight.length / bias.length;
  return {
    weight: weight.map((value, at) => value * scale[Math.floor(at / columns)]!),
    bias: bias.map((value, row) => value * scale[row]! + shift[row]!),
  };
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

/** Put matrices of equal row counts side by side: `[rows, c1 + c2 + ...]`. */
export function beside(parts: readonly Floats[], rows: number): Floats {
  const widths = parts.map((part) => part.length / rows);
  const columns = widths.reduce((sum, width) => sum + width, 0);
  const out = new Float32Array(rows * columns);
  let left = 0;
  parts.forEach((part, index) => {
    const width = widths[index]!;
    for (let row = 0; row < rows; row++)
      out.set(part.subarray(row * width, (row + 1) * width), row * columns + left);
    left += width;
  });
  return out;
}
