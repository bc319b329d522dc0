import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  type OfficialSize,
  officialShapes,
  writeDdcolorCheckpoint,
} from '../../support/ddcolor-checkpoint.js';
import { maxDifference } from '../../support/npy.js';

/**
 * Checkpoints of the official networks' exact shapes with random weights, made here. The large one
 * is 912 MB: it is written, converted, run and removed, two minutes on a quiet two-core machine.
 */
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'official-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const child = path.join(__dirname, '../../support/convert-child.cjs');

function convert(checkpoint: string, onnx: string, options = {}) {
  const args = [child, checkpoint, onnx, JSON.stringify(options)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

/** Grey noise, the same in every run. */
function noise(height: number, width: number): Tensor {
  const plane = Float32Array.from(
    { length: height * width },
    (_, i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32,
  );
  const data = new Float32Array(3 * plane.length);
  for (let channel = 0; channel < 3; channel++) data.set(plane, channel * plane.length);
  return new Tensor('float32', data, [1, 3, height, width]);
}

async function run(file: string, sizes: readonly (readonly [number, number])[]) {
  const session = await InferenceSession.create(file, { enableMemPattern: false });
  const outputs: Float32Array[] = [];
  for (const [height, width] of sizes) {
    const { output } = await session.run({ input: noise(height, width) });
    expect(output!.dims).toEqual([1, 2, height, width]);
    outputs.push(output!.data as Float32Array);
  }
  await session.release();
  return outputs;
}

/** Not a constant, not broken. */
function expectAlive(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  expect(spread).toBeGreaterThan(0.1);
  expect(spread).toBeLessThan(1e4);
}

test.each(['tiny', 'large'] as const)(
  '%s converts in bounded memory and runs at any size',
  async (official: OfficialSize) => {
    const checkpoint = path.join(dir, `${official}.pth`);
    const onnx = path.join(dir, `${official}.onnx`);
    writeDdcolorCheckpoint(checkpoint, official);
    const { shape, bytes, peakBytes } = convert(checkpoint, onnx);
    expect(shape).toMatchObject({
      ...officialShapes[official],
      ...{ unet: [512, 512, 256], width: 256, queries: 100, layers: 9, heads: 8 },
    });
    const checkpointBytes = statSync(checkpoint).size;
    rmSync(checkpoint);
    expect(statSync(onnx).size).toBe(bytes);
    expect(bytes).toBeLessThan(1.02 * checkpointBytes);
    expect(peakBytes).toBeLessThan(1.3 * checkpointBytes);
    const outputs = await run(onnx, [
      [256, 256],
      [512, 512],
      [96, 320],
    ]);
    outputs.forEach(expectAlive);
  },
  600_000,
);

test('at the real shapes the folded graph is the plain one, and half the bytes stay close', async () => {
  const checkpoint = path.join(dir, 'tiny.pth');
  writeDdcolorCheckpoint(checkpoint, 'tiny');
  const outputs: Float32Array[] = [];
  const sizes: number[] = [];
  for (const options of [{ form: 'plain' }, {}, { storage: 'float16' }, { int8: true }] as const) {
    const onnx = path.join(dir, 'tiny.onnx');
    sizes.push(convert(checkpoint, onnx, options).bytes);
    outputs.push((await run(onnx, [[96, 160]]))[0]!);
  }
  const [plain, folded, half, int8] = outputs as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(maxDifference(plain, folded) / largest).toBeLessThan(1e-5);
  expect(maxDifference(plain, half) / largest).toBeLessThan(5e-3);
  expect(maxDifference(plain, int8) / largest).toBeLessThan(0.2);
  expect(sizes[2]! / sizes[1]!).toBeLessThan(0.51);
}, 300_000);
