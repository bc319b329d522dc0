import type { DdcolorContext } from './ddcolor-context.js';
import { type DdcolorWeights, takeAffine } from './ddcolor-weights.js';
import { multiply, transpose } from './fold.js';
import { TRANSFORMER_EPS } from './layers.js';
import type { Floats } from './weight.js';

/** The pieces of a `MultiheadAttention`, each [width, width], and biases. */
export function takeAttention(w: DdcolorWeights, prefix: string, width: number) {
  const weight = w.take(`${prefix}.in_proj_weight`, [3 * width, width]);
  const bias = w.take(`${prefix}.in_proj_bias`, [3 * width]);
  const part = (index: number) =>
    weight().slice(index * width * width, (index + 1) * width * width);
  return {
    query: () => part(0),
    key: () => part(1),
    value: () => part(2),
    queryBias: () => bias().slice(0, width),
    valueBias: () => bias().slice(2 * width),
    out: w.take(`${prefix}.out_proj.weight`, [width, width]),
    outBias: w.take(`${prefix}.out_proj.bias`, [width]),
  };
}

/** Matrix [.., count * head width] to [count, rows, head width]. */
export function splitHeads({ l, shape }: DdcolorContext, matrix: string, count: number): string {
  const rows = l.reshape(matrix, [-1, count, shape.width / shape.heads]);
  return l.transpose(rows, [1, 0, 2]);
}

/** softmax(Q K^T) V per head; Q is scaled already. All [heads, rows, head width]. */
export function attend({ l }: DdcolorContext, query: string, key: string, value: string): string {
  const scores = l.g.node('MatMul', [query, l.transpose(key, [0, 2, 1])]);
  return l.g.node('MatMul', [l.softmax(scores), value]);
}

/** Heads joined, output projection with the values' constant in its bias, residual and norm. */
export function finishAttention(
  { l, w, shape }: DdcolorContext,
  x: string,
  attended: string,
  name: string,
  parts: ReturnType<typeof takeAttention>,
  constant: () => Floats,
  norm: string,
): string {
  const { width } = shape;
  const joined = l.reshape(l.transpose(attended, [1, 0, 2]), [-1, width]);
  const out = l.gemm(
    joined,
    l.g.weight(`${name}.out.weight`, [width, width], () => transpose(parts.out(), width, width)),
    l.vector(`${name}.out.bias`, width, () => {
      const bias = parts.outBias();
      return multiply(parts.out(), constant(), width).map((item, i) => item + bias[i]!);
    }),
  );
  return addNorm({ l, w, shape }, x, out, `${name}.norm`, norm);
}

/** Residual sum and norm. @param key prefix of the norm's weights. */
export function addNorm(
  context: DdcolorContext,
  x: string,
  out: string,
  name: string,
  key: string,
) {
  return norm(context, context.l.add(x, out), name, key);
}

/** Layer norm of the queries. @param key prefix of its weights. */
export function norm(
  { l, w, shape }: DdcolorContext,
  x: string,
  name: string,
  key: string,
): string {
  const affine = takeAffine(w, key, shape.width);
  const scale = l.vector(`${name}.scale`, shape.width, () => affine().scale);
  const shift = l.vector(`${name}.shift`, shape.width, () => affine().shift);
  return l.layerNorm(x, shape.width, TRANSFORMER_EPS, [scale, shift]);
}

/** What the queries' own position adds: place [rows, width] W^T + bias. */
export function placed(place: Floats, weight: Floats, width: number, bias: Floats): Floats {
  const outputs = weight.length / width;
  const sums = multiply(place, transpose(weight, outputs, width), width);
  return sums.map((item, at) => item + bias[at % outputs]!);
}

/** Matrices of equal width below each other. */
export function stack(parts: readonly Floats[]): Floats {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
