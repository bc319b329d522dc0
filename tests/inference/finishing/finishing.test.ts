import path from 'node:path';
import sharp from 'sharp';
import { applyContrast, contrastCurves } from '../../../src/inference/finishing/contrast.js';
import {
  DENOISE_HALO_ROWS,
  denoise,
  SHARPEN_HALO_ROWS,
  sharpen,
} from '../../../src/inference/finishing/lightness-filter.js';
import { createRenderer } from '../../../src/inference/render/index.js';
import { limits } from '../../../src/studio/limits.js';
import type { RenderOptions } from '../../../src/studio/ports/colorizer.js';
import {
  astronaut,
  meanDifference,
  plain,
  randomNumbers,
  readLab,
  scratchFolder,
  smoothPlane,
} from '../support/pictures.js';

const folder = scratchFolder();
const renderer = createRenderer({ limits: limits.photo, threads: 2, tempDir: folder });
afterAll(() => renderer.close());
const plane = smoothPlane(16, 16, 12);

async function render(file: string, options: Partial<RenderOptions>) {
  const out = path.join(folder, 'out.png');
  await renderer.render(file, plane, out, { ...plain, ...options });
  return readLab(out);
}

const spread = (x: ArrayLike<number>) => {
  const list = Array.from(x);
  const mean = list.reduce((s, v) => s + v, 0) / list.length;
  return Math.sqrt(list.reduce((s, v) => s + (v - mean) ** 2, 0) / list.length);
};

function noisyStep(width: number, rows: number): Float32Array {
  const random = randomNumbers(9);
  return Float32Array.from(
    { length: width * rows },
    (_, i) => (i % width < width / 2 ? 0.45 : 0.75) + 0.02 * (random() - 0.5),
  );
}

test('off by default: the lightness is exact; each filter changes it when asked', async () => {
  const before = await readLab(astronaut);
  const off = await render(astronaut, {});
  expect(meanDifference(before.l, off.l)).toBeLessThan(0.3);
  for (const options of [{ denoise: 0.8 }, { sharpen: 1 }, { contrast: 1 }]) {
    const on = await render(astronaut, options);
    expect(meanDifference(before.l, on.l)).toBeGreaterThan(0.5);
    expect(meanDifference(off.a, on.a)).toBeLessThan(1);
  }
});

test('denoise: flat areas get calm, an edge keeps its height', () => {
  const [widthPx, rows] = [64, 48];
  const f = noisyStep(widthPx, rows);
  const calm = denoise({ widthPx, rows, f }, 0.6);
  const flat = (x: Float32Array) => x.filter((_, i) => i % widthPx < 24);
  expect(spread(flat(calm))).toBeLessThan(0.45 * spread(flat(f)));
  const step = (x: Float32Array) => x[24 * widthPx + 33]! - x[24 * widthPx + 30]!;
  expect(step(calm)).toBeGreaterThan(0.9 * 0.3);
  expect(
    meanDifference(Float64Array.from(f), Float64Array.from(denoise({ widthPx, rows, f }, 1e-6))),
  ).toBeLessThan(1e-4);
});

test('sharpen: steeper edges, no bright outlines', () => {
  const [widthPx, rows] = [40, 9];
  const f = Float32Array.from({ length: widthPx * rows }, (_, i) => {
    const x = (i % widthPx) - 20;
    return 0.5 + 0.2 / (1 + Math.exp(-x / 1.5));
  });
  const crisp = sharpen({ widthPx, rows, f }, 1.5);
  const slope = (x: Float32Array) => x[4 * widthPx + 21]! - x[4 * widthPx + 18]!;
  expect(slope(crisp)).toBeGreaterThan(1.05 * slope(f));
  expect(Math.max(...crisp)).toBeLessThan(0.7 + 0.01);
  expect(Math.min(...crisp)).toBeGreaterThan(0.5 - 0.01);
});

test('contrast: curves rise, identity at 0, more spread in a dull picture', () => {
  const [w, h] = [64, 64];
  const dull = Float64Array.from({ length: w * h }, (_, i) => 0.5 + 0.08 * Math.sin(i / 9) ** 3);
  const apply = (strength: number) => {
    const curves = contrastCurves(dull, w, h, strength);
    for (let i = 1; i < curves.curves.length; i++)
      if (i % 257 !== 0)
        expect(curves.curves[i]!).toBeGreaterThanOrEqual(curves.curves[i - 1]! - 1e-9);
    const f = Float32Array.from(dull);
    for (let y = 0; y < h; y++) applyContrast(curves, f.subarray(y * w, (y + 1) * w), y, h);
    return f;
  };
  expect(meanDifference(Float64Array.from(apply(0)), dull)).toBeLessThan(1e-6);
  expect(spread(apply(1))).toBeGreaterThan(1.3 * spread(dull));
});

test('strips leave no seam: a block with its halo gives what the whole picture gives', () => {
  const [widthPx, rows] = [50, 96];
  const f = noisyStep(widthPx, rows);
  const halo = DENOISE_HALO_ROWS + SHARPEN_HALO_ROWS;
  const finish = (block: Float32Array, count: number) => {
    const calm = denoise({ widthPx, rows: count, f: block }, 0.7);
    return sharpen({ widthPx, rows: count, f: calm }, 1.2);
  };
  const whole = finish(f, rows);
  for (let y0 = 0; y0 < rows; y0 += 32) {
    const top = Math.max(0, y0 - halo);
    const bottom = Math.min(rows, y0 + 32 + halo);
    const strip = finish(f.slice(top * widthPx, bottom * widthPx), bottom - top);
    for (let i = 0; i < 32 * widthPx; i++)
      expect(Math.abs(strip[(y0 - top) * widthPx + i]! - whole[y0 * widthPx + i]!)).toBeLessThan(
        1e-6,
      );
  }
});

test('no seam in a rendered picture with every filter on', async () => {
  const size = 256;
  const flat = path.join(folder, 'ramp.png');
  const pixels = Uint8Array.from({ length: size * size }, (_, i) => 60 + Math.floor(i / size) / 2);
  await sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
    .png()
    .toFile(flat);
  const { l } = await render(flat, { denoise: 1, sharpen: 2, contrast: 0.6, strength: 0 });
  const rowMean = (y: number) =>
    l.slice(y * size, (y + 1) * size).reduce((s, v) => s + v, 0) / size;
  // A step at a strip border would stand out among the second differences of the ramp.
  const bend = (y: number) => Math.abs(rowMean(y + 1) - 2 * rowMean(y) + rowMean(y - 1));
  const rows = Array.from({ length: size - 8 }, (_, i) => i + 4);
  const isBorder = (y: number) => [31, 0].includes(y % 32);
  const inside = Math.max(...rows.filter((y) => !isBorder(y)).map(bend));
  expect(Math.max(...rows.filter(isBorder).map(bend))).toBeLessThan(1.02 * inside);
});
