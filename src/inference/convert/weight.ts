/** Element types that weights may have in a file. */
export type WeightType = 'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'other';

/** One tensor of a checkpoint, read on demand. */
export interface Weight {
  readonly type: WeightType;
  readonly shape: readonly number[];
  /** All elements in row-major order as float32. @throws {CheckpointDamaged} unreadable. */
  read(): Floats;
}

/** float32 over memory of its own. */
export type Floats = Float32Array<ArrayBuffer>;

/** Bytes of one element. */
export const WEIGHT_BYTES: Readonly<Record<Exclude<WeightType, 'other'>, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int64: 8,
};

/** Product of the sides; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Little-endian numbers of a file as float32. The buffer must start at an aligned offset. */
export function toFloats(bytes: Buffer<ArrayBuffer>, type: WeightType): Floats {
  const count = bytes.length / WEIGHT_BYTES[type as 'float32'];
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case 'bfloat16': {
      // A bfloat16 is the upper half of a float32.
      const bits = Uint32Array.from(new Uint16Array(buffer, byteOffset, count), (h) => h << 16);
      return new Float32Array(bits.buffer);
    }
    case 'float16':
      return halvesToFloats(new Uint16Array(buffer, byteOffset, count));
    default:
      throw new TypeError(`numbers of type ${type} are not weights`);
  }
}

/** IEEE 754 binary16 to float32, exact. */
export function halvesToFloats(halves: Uint16Array): Floats {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halfToFloat(halves[i]!);
  return out;
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** float32 to IEEE 754 binary16, rounded to nearest even; beyond 65504 becomes infinite. */
export function floatsToHalves(floats: Floats): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < out.length; i++) out[i] = halfBits(bits[i]!);
  return out;
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) {
    const nan = (bits & 0x7f800000) === 0x7f800000 && fraction !== 0;
    return sign | (nan ? 0x7e00 : 0x7c00);
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
