import type { ChromaUpsampling } from '../../studio/ports/colorizer.js';
import type { Segments } from './chroma-grid.js';
import { createGamutTable, gamutFactor } from './gamut.js';
import { F_BLACK, F_KNEE, RGB_FROM_XYZ, srgbFromLinear } from './lab.js';
import type { Samples } from './lightness.js';

export interface CombineRow {
  /** Lightness f the picture gets. */
  readonly f: Float64Array;
  /** Lightness f of the original, which guides the chroma. The same array without finishing. */
  readonly guide: Float64Array;
  /** Grid rows as gridRow writes them. */
  readonly grid: Float64Array;
  readonly gridWidthPx: number;
  readonly segments: Segments;
  readonly out: Samples;
  readonly outOffset: number;
  /** 3 or 4; a fourth sample is left alone. */
  readonly outChannels: number;
}

export interface Combiner {
  /** Lightness and chroma of one row to sRGB. */
  combine(row: CombineRow): void;
}

const [[RX, RY, RZ], [GX, GY, GZ], [BX, BY, BZ]] = RGB_FROM_XYZ;
const KNEE_INVERSE = 108 / 841;

/**
 * The row kernel: chroma enlarged along the row, L*a*b* to sRGB. Out of gamut chroma gives way
 * and lightness stays, except in `reference`, which clips RGB as upstream does.
 * @param widthPx longest row.
 */
export function createCombiner(
  bitDepth: 8 | 16,
  upsampling: ChromaUpsampling,
  widthPx: number,
): Combiner {
  const light = new Float64Array(3 * widthPx);
  const gamut = upsampling === 'reference' ? undefined : createGamutTable();
  const shade = upsampling === 'guided' ? shadeGuided : shadePlain;
  const encode = bitDepth === 8 ? createEncoder8() : createEncoder16();
  return {
    combine(row) {
      shade(row, light, gamut);
      encode(light, row);
    },
  };
}

type Gamut = Float64Array | undefined;

function shadeGuided(row: CombineRow, light: Float64Array, gamut: Gamut): void {
  const { f, guide, grid, gridWidthPx: w, segments } = row;
  const { start, cell, phase, step } = segments;
  const last = w - 1;
  for (let s = 0; s < cell.length; s++) {
    const k = cell[s]!;
    const k1 = k < last ? k + 1 : k;
    const t = phase[s]!;
    const d = step[s]!;
    let slopeU = grid[k]! + (grid[k1]! - grid[k]!) * t;
    let offsetU = grid[w + k]! + (grid[w + k1]! - grid[w + k]!) * t;
    let slopeV = grid[2 * w + k]! + (grid[2 * w + k1]! - grid[2 * w + k]!) * t;
    let offsetV = grid[3 * w + k]! + (grid[3 * w + k1]! - grid[3 * w + k]!) * t;
    let low = grid[4 * w + k]! + (grid[4 * w + k1]! - grid[4 * w + k]!) * t;
    let high = grid[5 * w + k]! + (grid[5 * w + k1]! - grid[5 * w + k]!) * t;
    const slopeUStep = (grid[k1]! - grid[k]!) * d;
    const offsetUStep = (grid[w + k1]! - grid[w + k]!) * d;
    const slopeVStep = (grid[2 * w + k1]! - grid[2 * w + k]!) * d;
    const offsetVStep = (grid[3 * w + k1]! - grid[3 * w + k]!) * d;
    const lowStep = (grid[4 * w + k1]! - grid[4 * w + k]!) * d;
    const highStep = (grid[5 * w + k1]! - grid[5 * w + k]!) * d;
    for (let x = start[s]!; x < start[s + 1]!; x++) {
      const g = guide[x]!;
      const held = g < low ? low : g > high ? high : g;
      toLight(f[x]!, slopeU * held + offsetU, slopeV * held + offsetV, light, 3 * x, gamut);
      slopeU += slopeUStep;
      offsetU += offsetUStep;
      slopeV += slopeVStep;
      offsetV += offsetVStep;
      low += lowStep;
      high += highStep;
    }
  }
}

function shadePlain(row: CombineRow, light: Float64Array, gamut: Gamut): void {
  const { f, grid, gridWidthPx: w, segments } = row;
  const { start, cell, phase, step } = segments;
  const last = w - 1;
  for (let s = 0; s < cell.length; s++) {
    const k = cell[s]!;
    const k1 = k < last ? k + 1 : k;
    const t = phase[s]!;
    const d = step[s]!;
    let u = grid[k]! + (grid[k1]! - grid[k]!) * t;
    let v = grid[w + k]! + (grid[w + k1]! - grid[w + k]!) * t;
    const uStep = (grid[k1]! - grid[k]!) * d;
    const vStep = (grid[w + k1]! - grid[w + k]!) * d;
    for (let x = start[s]!; x < start[s + 1]!; x++) {
      toLight(f[x]!, u, v, light, 3 * x, gamut);
      u += uStep;
      v += vStep;
    }
  }
}

/** One pixel: f, u, v to linear RGB 0..1 at light[at..at+2]. */
function toLight(
  f: number,
  u: number,
  v: number,
  light: Float64Array,
  at: number,
  gamut: Gamut,
): void {
  const y = f > F_KNEE ? f * f * f : (f - F_BLACK) * KNEE_INVERSE;
  const fx = f + u;
  const fz = f + v;
  const x = fx > F_KNEE ? fx * fx * fx : (fx - F_BLACK) * KNEE_INVERSE;
  const z = fz > F_KNEE ? fz * fz * fz : (fz - F_BLACK) * KNEE_INVERSE;
  const r = RX * x + RY * y + RZ * z;
  const g = GX * x + GY * y + GZ * z;
  const b = BX * x + BY * y + BZ * z;
  const inside = r >= 0 && g >= 0 && b >= 0 && r <= 1 && g <= 1 && b <= 1;
  if (inside || gamut === undefined) {
    light[at] = r;
    light[at + 1] = g;
    light[at + 2] = b;
    return;
  }
  const factor = gamutFactor(gamut, f, u, v);
  toLight(f, u * factor, v * factor, light, at, undefined);
}

type Encoder = (light: Float64Array, row: CombineRow) => void;

/** Steps of linear light before the sRGB curve: fine enough for 0.1 of an 8-bit code. */
const STEPS = 16_384;

function createEncoder8(): Encoder {
  const codes = Uint8Array.from({ length: STEPS + 1 }, (_, i) =>
    Math.round(255 * srgbFromLinear(i / STEPS)),
  );
  return (light, { out, outOffset, outChannels, guide }) => {
    const end = 3 * guide.length;
    for (let i = 0, at = outOffset; i < end; i += 3, at += outChannels) {
      out[at] = codes[step(light[i]!)]!;
      out[at + 1] = codes[step(light[i + 1]!)]!;
      out[at + 2] = codes[step(light[i + 2]!)]!;
    }
  };
}

const step = (light: number) => (light <= 0 ? 0 : light >= 1 ? STEPS : (light * STEPS + 0.5) | 0);

function createEncoder16(): Encoder {
  const curve = Float64Array.from(
    { length: STEPS + 2 },
    (_, i) => 65_535 * srgbFromLinear(i / STEPS) + 0.5,
  );
  const code = (light: number) => {
    const at = light <= 0 ? 0 : light >= 1 ? STEPS : light * STEPS;
    const i = at | 0;
    return (curve[i]! + (curve[i + 1]! - curve[i]!) * (at - i)) | 0;
  };
  return (light, { out, outOffset, outChannels, guide }) => {
    const end = 3 * guide.length;
    for (let i = 0, at = outOffset; i < end; i += 3, at += outChannels) {
      out[at] = code(light[i]!);
      out[at + 1] = code(light[i + 1]!);
      out[at + 2] = code(light[i + 2]!);
    }
  };
}
