import { F_BLACK, lightFromF, RGB_FROM_XYZ } from './lab.js';

/**
 * How far chroma may go at each lightness and hue before sRGB ends.
 *
 * A colour is u (a* over 500) and v (minus b* over 200): what is added to f. Direction is the diamond angle of
 * (u, v), 0..4, which needs one division instead of an arctangent; length is |u| + |v|.
 */
const LIGHTNESS_STEPS = 128;
const ANGLE_STEPS = 256;

/** Longest |u| + |v| in gamut, [LIGHTNESS_STEPS + 1][ANGLE_STEPS + 1] over f and diamond angle. */
export function createGamutTable(): Float64Array {
  const table = new Float64Array((LIGHTNESS_STEPS + 1) * (ANGLE_STEPS + 1));
  for (let i = 0; i <= LIGHTNESS_STEPS; i++) {
    const f = F_BLACK + ((1 - F_BLACK) * i) / LIGHTNESS_STEPS;
    for (let j = 0; j <= ANGLE_STEPS; j++) {
      const [u, v] = directionOf((4 * j) / ANGLE_STEPS);
      table[i * (ANGLE_STEPS + 1) + j] = reach(f, u, v);
    }
  }
  return table;
}

/**
 * Factor 0..1 that brings (u, v) at lightness f into gamut along its hue.
 * @param table from createGamutTable.
 */
export function gamutFactor(table: Float64Array, f: number, u: number, v: number): number {
  const length = Math.abs(u) + Math.abs(v);
  if (length < 1e-9) return 1;
  const t = u / length;
  const angle = v >= 0 ? 1 - t : 3 + t;
  const row = clamp(((f - F_BLACK) / (1 - F_BLACK)) * LIGHTNESS_STEPS, LIGHTNESS_STEPS);
  const column = clamp((angle / 4) * ANGLE_STEPS, ANGLE_STEPS);
  const i = Math.min(row | 0, LIGHTNESS_STEPS - 1);
  const j = Math.min(column | 0, ANGLE_STEPS - 1);
  const at = i * (ANGLE_STEPS + 1) + j;
  const below = at + ANGLE_STEPS + 1;
  const p = column - j;
  const upper = table[at]! + (table[at + 1]! - table[at]!) * p;
  const lower = table[below]! + (table[below + 1]! - table[below]!) * p;
  return Math.min(1, (upper + (lower - upper) * (row - i)) / length);
}

const clamp = (x: number, max: number) => (x < 0 ? 0 : x > max ? max : x);

function directionOf(angle: number): [number, number] {
  if (angle <= 2) {
    const u = 1 - angle;
    return [u, 1 - Math.abs(u)];
  }
  const u = angle - 3;
  return [u, Math.abs(u) - 1];
}

/** Bisection; 18 halvings of 1 leave less than 0.002 of a*. */
function reach(f: number, u: number, v: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 18; i++) {
    const middle = (low + high) / 2;
    if (inGamut(f, u * middle, v * middle)) low = middle;
    else high = middle;
  }
  return low;
}

function inGamut(f: number, u: number, v: number): boolean {
  const x = lightFromF(f + u);
  const y = lightFromF(f);
  const z = lightFromF(f + v);
  // White itself must count as inside: the matrix rows add up to 1 only within 1e-6.
  const slack = 2e-6;
  return RGB_FROM_XYZ.every((row) => {
    const light = row[0] * x + row[1] * y + row[2] * z;
    return light >= -slack && light <= 1 + slack;
  });
}
