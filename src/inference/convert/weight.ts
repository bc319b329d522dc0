import { halvesToFloats } from '../float16.js';

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
