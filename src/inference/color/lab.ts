/**
 * CIE L*a*b* (D65) and sRGB, with the constants OpenCV uses, in float64.
 *
 * Inside the pipeline lightness travels as f = (L* + 16) / 116, the quantity both directions of the
 * conversion need: a* and b* only add to it (a* over 500 gives fx, minus b* over 200 gives fz).
 * @see CIE 15:2004; OpenCV "Color conversions"
 */

/** White point D65. */
const WHITE_X = 0.950456;
const WHITE_Z = 1.088754;

/** f at which the cube root gives way to a straight line (L* = 8). */
const F_KNEE = 6 / 29;
/** f of black, L* = 0. */
export const F_BLACK = 16 / 116;
const KNEE_SLOPE = 841 / 108;

/** Share of linear R, G, B in luminance Y. */
export const LUMINANCE = [0.212671, 0.71516, 0.072169] as const;

/** Linear RGB from the three cubes X/Xn, Y, Z/Zn, row by row. */
export const RGB_FROM_XYZ = [
  [3.240479 * WHITE_X, -1.53715, -0.498535 * WHITE_Z],
  [-0.969256 * WHITE_X, 1.875991, 0.041556 * WHITE_Z],
  [0.055648 * WHITE_X, -0.204043, 1.057311 * WHITE_Z],
] as const;

const XYZ_FROM_RGB = [
  [0.412453 / WHITE_X, 0.35758 / WHITE_X, 0.180423 / WHITE_X],
  LUMINANCE,
  [0.019334 / WHITE_Z, 0.119193 / WHITE_Z, 0.950227 / WHITE_Z],
] as const;

/** sRGB code 0..1 to linear light 0..1. */
export function linearFromSrgb(code: number): number {
  return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4;
}

/** Linear light 0..1 to sRGB code 0..1. */
export function srgbFromLinear(light: number): number {
  return light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
}

/** Y (or X/Xn, Z/Zn) 0..1 to f. */
export function fFromLight(light: number): number {
  return light > F_KNEE ** 3 ? Math.cbrt(light) : light * KNEE_SLOPE + F_BLACK;
}

/** f to Y (or X/Xn, Z/Zn). */
export function lightFromF(f: number): number {
  return f > F_KNEE ? f * f * f : (f - F_BLACK) / KNEE_SLOPE;
}

/** L* of f(Y/Yn), CIE 15: 116 f - 16, 0..100. */
export const lStarFromF = (f: number): number => 116 * f - 16;
const fFromLStar = (lStar: number): number => (lStar + 16) / 116;

/** sRGB codes 0..1 to L* 0..100, a*, b*. */
export function labFromSrgb(r: number, g: number, b: number): [number, number, number] {
  const light = [linearFromSrgb(r), linearFromSrgb(g), linearFromSrgb(b)] as const;
  const [fx, fy, fz] = XYZ_FROM_RGB.map((row) =>
    fFromLight(row[0] * light[0] + row[1] * light[1] + row[2] * light[2]),
  ) as [number, number, number];
  return [lStarFromF(fy), 500 * (fx - fy), 200 * (fy - fz)];
}

/** L*, a*, b* to linear RGB, which leaves 0..1 where the colour is out of the sRGB gamut. */
export function linearFromLab(l: number, a: number, b: number): [number, number, number] {
  const f = fFromLStar(l);
  const x = lightFromF(f + a / 500);
  const y = lightFromF(f);
  const z = lightFromF(f - b / 200);
  return RGB_FROM_XYZ.map((row) => row[0] * x + row[1] * y + row[2] * z) as [
    number,
    number,
    number,
  ];
}
