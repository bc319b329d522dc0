const WORD = new Uint32Array(1);
const FLOAT = new Float32Array(WORD.buffer);

/** IEEE 754 binary16 bits of a number, rounded to nearest even; NaN becomes 0. */
export function float16From(value: number): number {
  if (Number.isNaN(value)) return 0;
  FLOAT[0] = value;
  const bits = WORD[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const mantissa = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7bff;
  if (exponent <= 0) {
    // Subnormal: units of 2^-24.
    return sign | roundEven(Math.abs(value) * 2 ** 24);
  }
  const rounded = (exponent << 10) + roundEven(mantissa / 0x2000);
  return sign | Math.min(rounded, 0x7bff);
}

/** Number of IEEE 754 binary16 bits. */
export function float32From(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
