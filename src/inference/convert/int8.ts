import { bytesOf, DATA_TYPES, type GraphBuilder } from './graph.js';
import type { Floats } from './weight.js';

/**
 * Largest magnitude of a quantised weight. 7 bits, not 8: the AVX2 instruction that multiplies
 * unsigned by signed bytes adds two products in 16 bits, and 2 x 255 x 127 overflows them. Old
 * boxes have nothing newer. @see onnxruntime's quantisation guide, reduce_range
 */
const MAX_WEIGHT = 64;
/**
 * Columns of a quantised constant are a multiple of this; zeros fill it up and the product is cut.
 * onnxruntime 1.24.3 computes garbage in the last columns of other widths on processors with AMX.
 */
const COLUMN_STEP = 32;

/**
 * x times a constant matrix in 8-bit integers: the constant is quantised per output column, x per
 * run (DynamicQuantizeLinear). onnxruntime fuses the nodes into one.
 * @param x value [.., inputs].
 * @param load the constant, [inputs, outputs] row-major.
 * @returns value [.., outputs], float32.
 */
export function quantizedMatMul(
  g: GraphBuilder,
  x: string,
  name: string,
  inputs: number,
  outputs: number,
  load: () => Floats,
): string {
  const columns = Math.ceil(outputs / COLUMN_STEP) * COLUMN_STEP;
  const padded = () => padColumns(load(), outputs, columns);
  const weight = g.constant(`${name}.int8`, 'int8', [inputs, columns], () =>
    bytesOf(quantizeColumns(padded(), columns)),
  );
  const scale = g.constant(`${name}.scale`, 'float32', [columns], () =>
    bytesOf(columnScales(padded(), columns)),
  );
  const [bytes, xScale, xZero] = g.nodes('DynamicQuantizeLinear', [x], 3) as [
    string,
    string,
    string,
  ];
  const sums = g.node('MatMulInteger', [bytes, weight, xZero]);
  const floats = g.node('Cast', [sums], { to: DATA_TYPES.float32 });
  const product = g.node('Mul', [floats, g.node('Mul', [xScale, scale])]);
  if (columns === outputs) return product;
  const [from, to, axis] = [0, outputs, -1].map((value) => g.integers([value])) as [
    string,
    string,
    string,
  ];
  return g.node('Slice', [product, from, to, axis]);
}

/** @returns the matrix with columns of zeros on its right; itself where nothing is missing. */
function padColumns(matrix: Floats, columns: number, wanted: number): Floats {
  if (columns === wanted) return matrix;
  const rows = matrix.length / columns;
  const out = new Float32Array(rows * wanted);
  for (let row = 0; row < rows; row++)
    out.set(matrix.subarray(row * columns, (row + 1) * columns), row * wanted);
  return out;
}

/** Step of each column's quantisation; 1 for a column of zeros. */
function columnScales(matrix: Floats, columns: number): Floats {
  const scales = new Float32Array(columns);
  for (let start = 0; start < matrix.length; start += columns)
    for (let column = 0; column < columns; column++) {
      const size = Math.abs(matrix[start + column]!);
      if (size > scales[column]!) scales[column] = size;
    }
  return scales.map((largest) => (largest > 0 ? largest / MAX_WEIGHT : 1));
}

/** Round each column to multiples of its step. */
function quantizeColumns(matrix: Floats, columns: number): Int8Array {
  const scales = columnScales(matrix, columns);
  const out = new Int8Array(matrix.length);
  for (let start = 0; start < matrix.length; start += columns)
    for (let column = 0; column < columns; column++)
      out[start + column] = Math.round(matrix[start + column]! / scales[column]!);
  return out;
}
