import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import {
  type Colorizer,
  createColorizer,
  createInferenceHost,
  createRenderer,
  parseWorkflow,
  readLabel,
  runWorkflow,
} from '../../../src/inference/index.js';
import { limits } from '../../../src/studio/limits.js';
import { greyTiff16 } from '../support/pictures.js';
import { buildTiff } from '../support/tiff.js';

const starter = path.resolve(__dirname, '../../../models/starter/starter.onnx');
const label = { producer: 'test', produceId: 'hc-1' };
let dir: string;
let colorizer: Colorizer;

beforeAll(() => {
  const host = createInferenceHost(
    {},
    { providers: ['cpu'], idleUnloadMs: 60_000, runTimeoutMs: 60_000 },
  );
  const renderer = createRenderer({ limits: limits.photo, threads: 1 });
  const resolveModel = async () => ({ id: 'starter', file: starter });
  colorizer = createColorizer({ host, renderer, resolveModel }, { limits: limits.photo });
});
afterAll(() => colorizer.close());
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-workflow-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (name: string) => path.join(dir, name);

/** A picture from a function of place, 0..255 per channel. */
async function draw(
  name: string,
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly [number, number, number],
): Promise<string> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    pixels.set(pixel(i % width, Math.floor(i / width)), i * 3);
  }
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(at(name));
  return at(name);
}

type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

function run(graph: Graph, images: Record<string, string> = {}, options = {}) {
  const workflow = parseWorkflow(JSON.stringify(graph), 'test.json');
  const deps = { colorizer, models: [{ id: 'starter', installed: true }] };
  return runWorkflow(deps, workflow, {
    images,
    inputDir: dir,
    outputDir: at('out'),
    model: 'starter',
    label,
    ...options,
  });
}

/** LoadImage -> nodes in a row -> SaveImage. */
function chain(...nodes: [string, Record<string, unknown>][]): Graph {
  const graph: Graph = { '1': { class_type: 'LoadImage', inputs: { image: 'in.png' } } };
  for (const [i, [class_type, inputs]] of nodes.entries()) {
    graph[`${i + 2}`] = { class_type, inputs: { image: [`${i + 1}`, 0], ...inputs } };
  }
  const last = `${nodes.length + 1}`;
  graph['99'] = { class_type: 'SaveImage', inputs: { images: [last, 0], filename_prefix: 'r' } };
  return graph;
}

async function pixels(file: string) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  return { data, width: info.width, height: info.height };
}

test('a photo is coloured, labelled and saved under the next free name', async () => {
  const photo = await draw('in.png', 64, 48, (x, y) => {
    const v = y < 20 ? 200 : 60 + ((x * 7 + y * 13) % 60);
    return [v, v, v];
  });
  const graph = chain(['DDColor_Colorize', { model_input_size: 100, checkpoint: 'ddcolor_x.pth' }]);
  const first = await run(graph, { '*': photo });
  expect(first.files).toEqual([at('out/r_00001_.png')]);
  expect(first.notes.map((note) => note.key)).toEqual(
    expect.arrayContaining(['workflow.substituted', 'inference.sizeRounded']),
  );
  expect(await readLabel(first.files[0]!)).toMatchObject({ ContentProducer: 'test' });
  const { data } = await pixels(first.files[0]!);
  let colour = 0;
  for (let i = 0; i < data.length; i += 3) colour += Math.abs(data[i]! - data[i + 2]!);
  expect((3 * colour) / data.length).toBeGreaterThan(3);
  expect((await run(graph, { '*': photo })).files).toEqual([at('out/r_00002_.png')]);
  expect(readdirSync(at('out')).sort()).toEqual(['r_00001_.png', 'r_00002_.png']);
});

test('scaling gives the sizes ComfyUI gives', async () => {
  await draw('in.png', 60, 40, () => [10, 20, 30]);
  const sizeAfter = async (type: string, inputs: Record<string, unknown>) => {
    const { files } = await run(chain([type, { upscale_method: 'bicubic', ...inputs }]));
    const { width, height } = await sharp(files[0]!).metadata();
    return [width, height];
  };
  expect(await sizeAfter('ImageScale', { width: 30, height: 0 })).toEqual([30, 20]);
  expect(await sizeAfter('ImageScale', { width: 0, height: 0 })).toEqual([60, 40]);
  expect(await sizeAfter('ImageScale', { width: 50, height: 50, crop: 'center' })).toEqual([
    50, 50,
  ]);
  expect(await sizeAfter('ImageScaleBy', { scale_by: 1.5 })).toEqual([90, 60]);
  expect(await sizeAfter('ImageScaleToTotalPixels', { megapixels: 0.01 })).toEqual([125, 84]);
  expect(await sizeAfter('ImageCrop', { x: 50, y: 0, width: 500, height: 8 })).toEqual([10, 8]);
});

test('sharpening is ComfyUI’s kernel: in + 10 alpha (in - blur)', async () => {
  await draw('in.png', 17, 17, (x, y) => (x === 4 && y === 4 ? [110, 110, 110] : [100, 100, 100]));
  const { files } = await run(chain(['ImageSharpen', { sharpen_radius: 1, sigma: 1, alpha: 0.1 }]));
  // Weights of exp(-(x² + y²) / 2) at -1, 0, 1, normalised.
  const sum = 1 + 4 * Math.exp(-0.5) + 4 * Math.exp(-1);
  const centre = 110 + 10 - 10 / sum;
  const side = 100 - (10 * Math.exp(-0.5)) / sum;
  const { data } = await pixels(files[0]!);
  expect(Math.abs(data[(4 * 17 + 4) * 3]! - centre)).toBeLessThanOrEqual(1);
  expect(Math.abs(data[(4 * 17 + 3) * 3]! - side)).toBeLessThanOrEqual(1);
  expect(data[0]).toBe(100);
});

const blends = {
  normal: (_below: number, above: number) => above,
  multiply: (below: number, above: number) => (below * above) / 255,
  screen: (below: number, above: number) => 255 - ((255 - below) * (255 - above)) / 255,
  difference: (below: number, above: number) => below - above,
};

test.each([
  ['normal', 0.25],
  ['multiply', 1],
  ['screen', 0.5],
  ['difference', 1],
] as const)('blending %s at %d', async (blend_mode, blend_factor) => {
  const [first, second] = [
    [100, 120, 210],
    [100, 165, 20],
  ] as const;
  const below = await draw('a.png', 16, 16, () => first);
  // Another size: it is brought to the first picture's.
  const above = await draw('b.png', 20, 40, () => second);
  const load = { class_type: 'LoadImage', inputs: { image: 'x.png' } };
  const inputs = { image1: ['a', 0], image2: ['b', 0], blend_factor, blend_mode };
  const { files } = await run(
    {
      a: load,
      b: load,
      c: { class_type: 'ImageBlend', inputs },
      d: { class_type: 'SaveImage', inputs: { images: ['c', 0] } },
    },
    { a: below, b: above },
  );
  const { data } = await pixels(files[0]!);
  for (const [i, value] of first.entries()) {
    const blended = blends[blend_mode](value, second[i]!);
    const mixed = value * (1 - blend_factor) + blended * blend_factor;
    expect(Math.abs(data[i]! - Math.min(255, Math.max(0, mixed)))).toBeLessThanOrEqual(1);
  }
});

test.each<[string, [string, Record<string, unknown>][]]>([
  ['nothing between', []],
  ['the network', [['DDColorize', { size: 64 }]]],
  [
    'scaling and a kernel',
    [
      ['ImageScaleBy', { upscale_method: 'bilinear', scale_by: 1 }],
      ['ImageBlur', {}],
    ],
  ],
])('16 bits stay 16, in three channels, with the label: %s', async (_, nodes) => {
  const samples = Uint16Array.from({ length: 120 * 90 }, (_, i) => 20_000 + (i % 120) * 150 + 77);
  writeFileSync(at('in.tif'), greyTiff16(120, 90, samples));
  const labelled = { ...label, text: 'AI' };
  const { files } = await run(chain(...nodes), { '*': at('in.tif') }, { label: labelled });
  expect(await sharp(files[0]).metadata()).toMatchObject({ depth: 'ushort', channels: 3 });
  const { data } = await sharp(files[0])
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const words = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  // Green of a pixel in the middle carries the lightness; eight bits could not be so near.
  if (nodes.length !== 1)
    for (const x of [30, 60, 61]) {
      const at = (20 * 120 + x) * 3 + 1;
      expect(Math.abs(words[at]! - samples[20 * 120 + x]!)).toBeLessThan(80);
    }
  expect(Math.max(...words.subarray(words.length / 2))).toBeGreaterThan(60_000);
  expect(await readLabel(files[0]!)).toBeDefined();
});

test('blending two pictures of 16 bits keeps them', async () => {
  const flat = (value: number) => greyTiff16(32, 32, new Uint16Array(1024).fill(value));
  writeFileSync(at('a.tif'), flat(30_001));
  writeFileSync(at('b.tif'), flat(40_003));
  const load = { class_type: 'LoadImage', inputs: { image: 'x.png' } };
  const inputs = { image1: ['a', 0], image2: ['b', 0], blend_factor: 0.5, blend_mode: 'normal' };
  const graph = {
    ...{ a: load, b: load, c: { class_type: 'ImageBlend', inputs } },
    d: { class_type: 'SaveImage', inputs: { images: ['c', 0] } },
  };
  const { files } = await run(graph, { a: at('a.tif'), b: at('b.tif') });
  const pipeline = sharp(files[0]).toColourspace('rgb16').raw({ depth: 'ushort' });
  const bytes = await pipeline.toBuffer();
  expect(Math.abs(bytes.readUInt16LE(6) - 35_002)).toBeLessThanOrEqual(2);
});

test('infrared of a film scanner and a small copy in front are not what is loaded', async () => {
  const samples = new Uint8Array(64 * 48 * 4).fill(120);
  for (let i = 3; i < samples.length; i += 4) samples[i] = 0;
  const small = { widthPx: 32, heightPx: 24, samples: new Uint8Array(32 * 24).fill(9) };
  const film = { widthPx: 64, heightPx: 48, samples, channels: 4, tags: { 338: [0] } };
  writeFileSync(at('film.tif'), buildTiff([small, film]));
  const { files } = await run(chain(), { '*': at('film.tif') });
  const { data, width, height } = await pixels(files[0]!);
  expect([width, height]).toEqual([64, 48]);
  expect([...data.subarray(0, 3)]).toEqual([120, 120, 120]);
});

test('an image nobody gave is named; a broken one fails by its own fault', async () => {
  await expect(run(chain())).rejects.toThrow(/node 1 \(LoadImage\).*in\.png.*--image/);
  writeFileSync(at('broken.png'), 'no picture');
  await expect(run(chain(), { '*': at('broken.png') })).rejects.toMatchObject({
    code: 'PHOTO_UNREADABLE',
  });
});

test('a prefix cannot lead out of the output folder, and nothing temporary stays', async () => {
  await draw('in.png', 32, 32, () => [1, 2, 3]);
  const graph = chain(['ImageInvert', {}]);
  graph['99']!.inputs['filename_prefix'] = '../../escape/x';
  const { files } = await run(graph);
  expect(files).toEqual([at('out/escape/x_00001_.png')]);
  expect(readdirSync(at('out'))).toEqual(['escape']);
  expect([...(await pixels(files[0]!)).data.subarray(0, 3)]).toEqual([254, 253, 252]);
});

test('a cancelled run leaves nothing', async () => {
  const photo = await draw('in.png', 32, 32, () => [9, 9, 9]);
  const workflow = parseWorkflow(JSON.stringify(chain(['DDColorize', {}])), 'test.json');
  const options = {
    images: { '*': photo },
    inputDir: dir,
    outputDir: at('out'),
    model: 'starter',
    label,
  };
  const signal = AbortSignal.abort();
  const deps = { colorizer, models: [] };
  await expect(runWorkflow(deps, workflow, options, { signal })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
  expect(readdirSync(at('out'))).toEqual([]);
});
