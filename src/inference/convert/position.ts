import type { Layers } from './layers.js';

const TEMPERATURE = 10_000;
const EPS = 1e-6;

/**
 * Sine position embedding of an NHWC value [1, h, w, width]: the first half of the channels holds
 * the row, the second the column; sine and cosine alternate.
 *
 * Both halves are made full width with zeros in the other half, so that one broadcast sum joins
 * them: sin(0 + 0) is 0, and cos t is sin(t + pi/2).
 * @returns value [h, w, width].
 */
export function positionOf(l: Layers, nhwc: string, width: number): string {
  const half = width / 2;
  const frequencies = Array.from({ length: half }, (_, k) => frequency(k, half));
  const phases = frequencies.map((_, k) => (k % 2) * (Math.PI / 2));
  const zeros = new Array<number>(half).fill(0);
  const wave = (axis: number, shape: number[], rates: number[], starts: number[]) => {
    const angles = l.reshape(anglesOf(l, nhwc, axis), shape);
    const scaled = l.g.node('Mul', [angles, l.g.floats(rates)]);
    return l.g.node('Sin', [l.add(scaled, l.g.floats(starts))]);
  };
  const rows = wave(1, [-1, 1, 1], [...frequencies, ...zeros], [...phases, ...zeros]);
  const columns = wave(2, [1, -1, 1], [...zeros, ...frequencies], [...zeros, ...phases]);
  return l.add(rows, columns);
}

/** 1 / 10000^(2 floor(k / 2) / half). */
export function frequency(k: number, half: number): number {
  return TEMPERATURE ** (-(2 * Math.floor(k / 2)) / half);
}

/** 2 pi (i + 1) / (size + eps) for each index of an axis; value [size]. */
export function anglesOf(l: Layers, nhwc: string, axis: number): string {
  const { g } = l;
  const size = g.node('Shape', [nhwc], { start: axis, end: axis + 1 });
  const sizeFloat = g.node('Cast', [g.node('Squeeze', [size])], { to: 1 });
  const end = l.add(sizeFloat, g.floats([1], []));
  const indices = g.node('Range', [g.floats([1], []), end, g.floats([1], [])]);
  const fractions = g.node('Div', [indices, l.add(sizeFloat, g.floats([EPS], []))]);
  return g.node('Mul', [fractions, g.floats([2 * Math.PI], [])]);
}
