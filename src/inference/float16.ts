/**
 * IEEE 754 binary16 for tensors, checkpoints and stored planes, as bits: Node 20 has no
 * Float16Array, and onnxruntime takes and gives a Uint16Array.
 */
const EXPONENT_OFFSET = 127 - 15;
const INFINITE = 0x7c00;
const QUIET_NAN = 0x7e00;

/** The largest finite float16. */
export const MAX_FLOAT16 = 65_504;

/** float32 to float16, rounded to nearest even; beyond 65504 becomes infinite, NaN stays NaN. */
export function floatsToHalves(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < out.length; i++) out[i] = halfOf(bits[i]!);
  return out;
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - EXPONENT_OFFSET;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) {
    const nan = (bits & 0x7fffffff) > 0x7f800000;
    return sign | (nan ? QUIET_NAN : INFINITE);
  }
  if (exponent < -10) return sign;
  if (exponent <= 0) return sign | roundShift(fraction | 0x800000, 14 - exponent);
  // A carry out of the fraction raises the exponent, which is what rounding up means here.
  return sign | ((exponent << 10) + roundShift(fraction, 13));
}

/** Shift right, nearest with ties to even. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && kept & 1) ? kept + 1 : kept;
}

/** float16 to float32, exact. */
export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const all = everyHalf();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = all[halves[i]!]!;
  return out;
}

let table: Float32Array | undefined;

/** The value of each of the 65,536 patterns: a look-up is several times faster than arithmetic. */
function everyHalf(): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return table;
}
