import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import {
  type Colorizer,
  createColorizer,
  createInferenceHost,
  createRenderer,
} from '../../src/inference/index.js';
import { ModelMissing } from '../../src/studio/errors/index.js';
import { limits } from '../../src/studio/limits.js';

const starter = path.resolve(__dirname, '../../models/starter/starter.onnx');
const label = { producer: 'test', produceId: 'hc-1' };
let dir: string;
let colorizer: Colorizer;

beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-colorizer-'));
  const host = createInferenceHost(
    {},
    { providers: ['cpu'], idleUnloadMs: 60_000, runTimeoutMs: 60_000 },
  );
  const renderer = createRenderer({ limits: limits.photo, threads: 1 });
  const resolveModel = async (model: string) => {
    if (model !== 'starter') throw new ModelMissing(model, 'only the starter is here');
    return { id: model, file: starter, sizePx: 128 };
  };
  colorizer = createColorizer({ host, renderer, resolveModel }, { limits: limits.photo });
});
afterAll(async () => {
  await colorizer.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Sky over a field: RGB with colours of its own. */
async function landscape(name: string, width = 120, height = 80): Promise<string> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const sky = i < (width * height) / 2;
    const grain = (i * 2654435761) % 24;
    pixels.set(sky ? [240, 150 + grain, 60] : [200, 40 + grain, 160], i * 3);
  }
  const file = path.join(dir, name);
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
  return file;
}

const rms = (a: Float32Array, b: Float32Array) =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length);

test("a colour photograph's own colours are ignored: its grey copy gives the same plane", async () => {
  // At the model's own size: no resampling between the two.
  const colour = await landscape('colour.png', 128, 128);
  const { data, info } = await sharp(colour).raw().toBuffer({ resolveWithObject: true });
  // The grey with the same L*: linear luminance, not the mean of the channels.
  const linear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const coded = (v: number) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
  const grey = Buffer.alloc(data.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const [r, g, b] = [0, 1, 2].map((c) => linear(data[i * 3 + c]! / 255)) as [
      number,
      number,
      number,
    ];
    grey[i] = Math.round(coded(0.2126 * r + 0.7152 * g + 0.0722 * b) * 255);
  }
  const copy = path.join(dir, 'grey.png');
  await sharp(grey, { raw: { width: info.width, height: info.height, channels: 1 } }).toFile(copy);
  const [a, b] = [
    await colorizer.predict(colour, { model: 'starter' }),
    await colorizer.predict(copy, { model: 'starter' }),
  ];
  expect(a.meanChroma).toBeGreaterThan(2);
  expect(rms(a.chroma.ab, b.chroma.ab)).toBeLessThan(1);
});

test.each([
  ['stretch', [128, 128], [128, 128]],
  ['letterbox', [128, 128], [128, 85]],
  ['aspect', [128, 96], [128, 96]],
] as const)('%s: input and plane have the sizes they should', async (fit, input, plane) => {
  const file = await landscape(`${fit}.png`);
  const prediction = await colorizer.predict(file, { model: 'starter', fit });
  expect([prediction.inputWidthPx, prediction.inputHeightPx]).toEqual(input);
  expect([prediction.chroma.widthPx, prediction.chroma.heightPx]).toEqual(plane);
  expect(prediction.chroma.ab).toHaveLength(2 * plane[0] * plane[1]);
});

test('one plane, many renditions: no second inference', async () => {
  const file = await landscape('many.jpg');
  const { chroma } = await colorizer.predict(file, { model: 'starter' });
  const colourOf = async (name: string, strength: number) => {
    const output = path.join(dir, name);
    await colorizer.render(file, chroma, output, { label, strength });
    const pixels = await sharp(output).raw().toBuffer();
    let sum = 0;
    for (let i = 0; i < pixels.length; i += 3) sum += Math.abs(pixels[i]! - pixels[i + 2]!);
    return (3 * sum) / pixels.length;
  };
  const [grey, half, full] = [
    await colourOf('0.png', 0),
    await colourOf('half.png', 0.5),
    await colourOf('full.png', 1),
  ];
  expect(grey).toBeLessThan(1);
  expect(half).toBeGreaterThan(grey + 1);
  expect(full).toBeGreaterThan(half + 1);
});

test('what is wrong with the photo or the model is said by type', async () => {
  const file = await landscape('typed.png');
  await expect(colorizer.predict(file, { model: 'gone' })).rejects.toMatchObject({
    code: 'MODEL_MISSING',
  });
  const missing = path.join(dir, 'missing.png');
  await expect(colorizer.inspect(missing)).rejects.toMatchObject({ code: 'PHOTO_UNREADABLE' });
  const signal = AbortSignal.abort();
  await expect(colorizer.predict(file, { model: 'starter' }, { signal })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});

test('progress only grows, up to 1', async () => {
  const file = await landscape('progress.png');
  const shares: number[] = [];
  const onProgress = (share: number) => shares.push(share);
  const { chroma } = await colorizer.predict(file, { model: 'starter' }, { onProgress });
  expect(shares.at(-1)).toBe(1);
  expect([...shares].sort((a, b) => a - b)).toEqual(shares);
  shares.length = 0;
  await colorizer.render(file, chroma, path.join(dir, 'p.png'), { label }, { onProgress });
  expect(shares.at(-1)).toBe(1);
  expect([...shares].sort((a, b) => a - b)).toEqual(shares);
});
