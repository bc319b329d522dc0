import { buildChromaGrid } from '../../../src/inference/color/chroma-grid.js';
import { createGamutTable, gamutFactor } from '../../../src/inference/color/gamut.js';
import {
  fFromLight,
  labFromSrgb,
  linearFromLab,
  linearFromSrgb,
  lStarFromF,
  srgbFromLinear,
} from '../../../src/inference/color/lab.js';
import { createRecombiner } from '../../../src/inference/color/recombine.js';
import { createRecombineKit } from '../../../src/inference/color/recombine-kit.js';
import type { ChromaUpsampling } from '../../../src/studio/ports/colorizer.js';
import { randomNumbers } from '../support/pictures.js';

const kit = createRecombineKit();
type Depth = 8 | 16;

interface Case {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly grid: { widthPx: number; heightPx: number; u: Float64Array; v: Float64Array };
  readonly upsampling: ChromaUpsampling;
  readonly channels?: number;
  readonly inDepth?: Depth;
  readonly outDepth?: Depth;
  readonly pixels: number[];
}

/** Colours whole pictures in one strip. @returns RGB codes */
function recombine(c: Case): number[] {
  const { widthPx, heightPx, channels = 3, inDepth = 8, outDepth = 8, upsampling } = c;
  const f = new Float64Array(c.grid.widthPx * c.grid.heightPx).fill(0.6);
  const kernel = createRecombiner(kit, {
    grid: buildChromaGrid(c.grid, f, upsampling, kit),
    widthPx,
    heightPx,
    inChannels: channels,
    inDepth,
    inRows: heightPx,
    outChannels: 3,
    outDepth,
    outSamples: widthPx * heightPx * 3,
    finishingRows: 0,
  });
  const words = (bytes: Uint8Array) =>
    new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  (inDepth === 16 ? words(kernel.input) : kernel.input).set(c.pixels);
  for (let y = 0; y < heightPx; y++) kernel.combine(y, y, y * widthPx * 3, undefined);
  return [...(outDepth === 16 ? words(kernel.output) : kernel.output)];
}

type Chroma = readonly (readonly [a: number, b: number])[];

/** A grid of one row, one cell per chroma. */
const rowOf = (chroma: Chroma) => ({
  widthPx: chroma.length,
  heightPx: 1,
  u: Float64Array.from(chroma, ([a]) => a / 500),
  v: Float64Array.from(chroma, ([, b]) => -b / 200),
});

/** One row of pixels, each with its own chroma. @returns RGB triples */
function colourRow(pixels: number[], chroma: Chroma, depth: Depth, upsampling: ChromaUpsampling) {
  const out = recombine({
    widthPx: pixels.length,
    heightPx: 1,
    grid: rowOf(chroma),
    upsampling,
    channels: 1,
    inDepth: depth,
    outDepth: depth,
    pixels,
  });
  return pixels.map((_, i) => out.slice(3 * i, 3 * i + 3) as [number, number, number]);
}

function expectedCodes(grey: number, a: number, b: number, top: number): number[] {
  const lStar = lStarFromF(fFromLight(linearFromSrgb(grey)));
  return linearFromLab(lStar, a, b).map((light) => top * srgbFromLinear(light));
}

describe.each([
  [8, 0.55],
  [16, 3],
] as const)('%i-bit pixels', (depth, tolerance) => {
  const top = 2 ** depth - 1;
  const random = randomNumbers(depth);
  const greys = Array.from({ length: 400 }, () => Math.round((0.02 + 0.96 * random()) * top));

  function expectFormula(chroma: Chroma, got: readonly (readonly number[])[]): number {
    let compared = 0;
    for (const [i, [a, b]] of chroma.entries()) {
      const exact = expectedCodes(greys[i]! / top, a, b, top);
      if (exact.some((c) => !(c >= 0 && c <= top))) continue;
      compared++;
      for (let c = 0; c < 3; c++) expect(Math.abs(got[i]![c]! - exact[c]!)).toBeLessThan(tolerance);
    }
    return compared;
  }

  test.each(['bilinear', 'reference'] as const)('follow the formula, %s', (upsampling) => {
    const chroma = greys.map(() => [120 * (random() - 0.5), 120 * (random() - 0.5)] as const);
    const compared = expectFormula(chroma, colourRow(greys, chroma, depth, upsampling));
    expect(compared).toBeGreaterThan(100);
  });

  test('follow the formula, guided, one colour everywhere', () => {
    for (let round = 0; round < 10; round++) {
      const colour = [80 * (random() - 0.5), 80 * (random() - 0.5)] as const;
      const chroma = greys.map(() => colour);
      expectFormula(chroma, colourRow(greys, chroma, depth, 'guided'));
    }
  });
});

test('without chroma a grey picture comes back unchanged, all 256 codes', () => {
  const pixels = Array.from({ length: 256 }, (_, i) => i);
  for (const upsampling of ['guided', 'bilinear', 'reference'] as const)
    expect(colourRow(pixels, [[0, 0]], 8, upsampling)).toEqual(pixels.map((c) => [c, c, c]));
});

test("a colour picture's own colour is ignored, its lightness is kept", () => {
  const random = randomNumbers(3);
  const pixels = Array.from({ length: 1500 }, () => Math.round(255 * random()));
  const shape = { widthPx: 500, heightPx: 1, upsampling: 'bilinear' } as const;
  const out = recombine({ ...shape, grid: rowOf([[0, 0]]), pixels });
  const lab = (codes: number[], i: number) =>
    labFromSrgb(codes[i]! / 255, codes[i + 1]! / 255, codes[i + 2]! / 255);
  for (let i = 0; i < 1500; i += 3) {
    const [after, a, b] = lab(out, i);
    expect(Math.abs(after - lab(pixels, i)[0])).toBeLessThan(0.35);
    expect(Math.hypot(a, b)).toBeLessThan(0.05);
  }
});

test('out of gamut chroma gives way along its hue, never lightness', () => {
  const random = randomNumbers(11);
  const pixels = Array.from({ length: 3000 }, () => Math.round(655 + random() * 64_000));
  const chroma = pixels.map(() => {
    const angle = random() * 2 * Math.PI;
    return [120 * Math.cos(angle), 120 * Math.sin(angle)] as const;
  });
  let worstLightness = 0;
  let worstHue = 0;
  for (const [i, codes] of colourRow(pixels, chroma, 16, 'bilinear').entries()) {
    const [l, a, b] = labFromSrgb(codes[0] / 65_535, codes[1] / 65_535, codes[2] / 65_535);
    const before = lStarFromF(fFromLight(linearFromSrgb(pixels[i]! / 65_535)));
    worstLightness = Math.max(worstLightness, Math.abs(l - before));
    if (Math.hypot(a, b) < 10) continue;
    const turn = Math.abs(Math.atan2(b, a) - Math.atan2(chroma[i]![1], chroma[i]![0]));
    worstHue = Math.max(worstHue, Math.min(turn, 2 * Math.PI - turn));
  }
  expect(worstLightness).toBeLessThan(0.5);
  expect(worstHue).toBeLessThan(0.05);
});

test('the gamut table agrees with the gamut', () => {
  const table = createGamutTable();
  const random = randomNumbers(5);
  for (let i = 0; i < 3000; i++) {
    const f = 0.2 + 0.75 * random();
    const [u, v] = [0.5 * (random() - 0.5), 0.5 * (random() - 0.5)];
    const k = gamutFactor(table, f, u, v);
    const light = linearFromLab(lStarFromF(f), 500 * u * k, -200 * v * k);
    for (const channel of light) {
      expect(channel).toBeGreaterThan(-0.01);
      expect(channel).toBeLessThan(1.015);
    }
    // Not needlessly grey: a little more chroma would leave the gamut.
    if (k < 1) {
      const beyond = linearFromLab(lStarFromF(f), 500 * u * k * 1.08, -200 * v * k * 1.08);
      expect(beyond.some((c) => c < 1e-4 || c > 1 - 1e-4)).toBe(true);
    }
  }
});

describe('enlarging the grid', () => {
  const random = randomNumbers(23);
  const numbers = (n: number) => Float64Array.from({ length: n }, () => 0.08 * (random() - 0.5));

  /** Bilinear with align_corners = false and nearest, straight from their definitions. */
  function sample(plane: Float64Array, w: number, h: number, x: number, y: number): number {
    const at = (i: number, size: number) => Math.min(Math.max(i, 0), size - 1);
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [tx, ty] = [x - x0, y - y0];
    const get = (i: number, j: number) => plane[at(j, h) * w + at(i, w)]!;
    const upper = get(x0, y0) * (1 - tx) + get(x0 + 1, y0) * tx;
    const lower = get(x0, y0 + 1) * (1 - tx) + get(x0 + 1, y0 + 1) * tx;
    return upper * (1 - ty) + lower * ty;
  }

  test.each([
    [7, 5, 37, 29],
    [16, 16, 16, 16],
    [33, 9, 20, 61],
    [1, 1, 5, 4],
    [2, 3, 131, 3],
    [64, 48, 21, 17],
  ])('grid %ix%i, picture %ix%i', (gw, gh, w, h) => {
    const grid = { widthPx: gw, heightPx: gh, u: numbers(gw * gh), v: numbers(gw * gh) };
    const pixels = Array.from({ length: w * h }, () => 110 + Math.floor(random() * 40));
    for (const upsampling of ['bilinear', 'reference'] as const) {
      const shape = { widthPx: w, heightPx: h, grid, upsampling, channels: 1, pixels };
      const got = recombine({ ...shape, outDepth: 16 });
      let worst = 0;
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++) {
          const sx =
            upsampling === 'bilinear' ? ((x + 0.5) * gw) / w - 0.5 : Math.floor((x * gw) / w);
          const sy =
            upsampling === 'bilinear' ? ((y + 0.5) * gh) / h - 0.5 : Math.floor((y * gh) / h);
          const a = 500 * sample(grid.u, gw, gh, sx, sy);
          const b = -200 * sample(grid.v, gw, gh, sx, sy);
          const exact = expectedCodes(pixels[y * w + x]! / 255, a, b, 65_535);
          for (let c = 0; c < 3; c++)
            worst = Math.max(worst, Math.abs(got[(y * w + x) * 3 + c]! - exact[c]!));
        }
      expect(worst).toBeLessThan(12);
    }
  });
});
