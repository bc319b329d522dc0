import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { compareModels } from '../../../src/inference/convert/compare-models.js';
import { convertCheckpoint } from '../../../src/inference/convert/convert-checkpoint.js';
import { bytesOf, createGraphBuilder } from '../../../src/inference/convert/graph.js';
import { encodeOnnx } from '../../../src/inference/convert/onnx-writer.js';
import { optimizeOnnx } from '../../../src/inference/convert/optimize-onnx.js';
import { bytesField, messageField } from '../../../src/inference/convert/protobuf.js';
import {
  CheckpointDamaged,
  CheckpointUnsupported,
  DiskUnavailable,
  ModelUnfit,
  StudioError,
} from '../../../src/studio/errors/index.js';

const mini = path.join(__dirname, '../../fixtures/ddcolor-mini/mini.pth');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'optimize-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function writeExport(): Promise<string> {
  const file = path.join(dir, 'export.onnx');
  await convertCheckpoint(mini, file, { heads: 2, form: 'export' });
  return file;
}

/** input [1, 3, height, width] through two convolutions with equal weights. */
function writeTwins(second: Float32Array): string {
  const g = createGraphBuilder();
  const weight = Float32Array.from({ length: 3 * 3 * 25 * 25 }, (_, i) => Math.sin(i));
  const sides = [3, 3, 25, 25];
  const conv = (x: string, name: string, values: Float32Array) =>
    g.node('Conv', [x, g.constant(name, 'float32', sides, () => bytesOf(values))], {
      pads: [12, 12, 12, 12],
    });
  g.rename(conv(conv('input', 'first', weight), 'second', second), 'output');
  const shape = [1, 3, 'height', 'width'] as const;
  const file = path.join(dir, 'twins.onnx');
  writeFileSync(
    file,
    encodeOnnx(g.finish([{ name: 'input', shape }], [{ name: 'output', shape }])),
  );
  return file;
}

test('spectral norm and its second copy of the weights go, the function stays', async () => {
  const file = await writeExport();
  const lean = path.join(dir, 'lean.onnx');
  const result = await optimizeOnnx(file, lean);
  expect(result).toMatchObject({ outcome: 'written', bytesBefore: statSync(file).size });
  expect(result.folded).toBeGreaterThanOrEqual(8);
  expect(result.difference).toBeLessThan(1e-5);
  expect(result.bytesAfter).toBe(statSync(lean).size);
  expect(result.bytesAfter).toBeLessThan(0.75 * result.bytesBefore);
  const names = readFileSync(lean).toString('latin1');
  expect(names).not.toContain('weight_mat');
  expect(names).not.toContain('weight_v');
  expect(await compareModels(file, lean)).toBeLessThan(1e-5);
});

test('a lean file has nothing to lose and stays byte for byte', async () => {
  const file = await writeExport();
  await optimizeOnnx(file, file);
  const before = readFileSync(file);
  const result = await optimizeOnnx(file, file);
  expect(result.outcome).toBe('nothing-to-do');
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('equal weights are stored once, unequal ones are not touched', async () => {
  const weight = Float32Array.from({ length: 3 * 3 * 25 * 25 }, (_, i) => Math.sin(i));
  const twins = writeTwins(weight);
  const lean = path.join(dir, 'lean.onnx');
  expect(await optimizeOnnx(twins, lean)).toMatchObject({
    outcome: 'written',
    merged: 1,
    folded: 0,
  });
  expect(statSync(lean).size).toBeLessThan(0.55 * statSync(twins).size);
  const other = weight.slice();
  other[77]! += 1e-6;
  expect((await optimizeOnnx(writeTwins(other), lean)).outcome).toBe('nothing-to-do');
});

test('metadata and symbolic sides survive', async () => {
  const file = await writeExport();
  await optimizeOnnx(file, file);
  const session = await InferenceSession.create(file);
  expect(session.inputMetadata[0]).toMatchObject({
    name: 'input',
    shape: [1, 3, 'height', 'width'],
  });
  await session.release();
  expect(readFileSync(file).includes('mini.pth')).toBe(true);
});

test('a model that answers NaN is never replaced', async () => {
  const weight = Float32Array.from({ length: 3 * 3 * 25 * 25 }, () => Number.NaN);
  const twins = writeTwins(weight);
  copyFileSync(twins, `${twins}.before`);
  // Both weights differ (sine and NaN), so give it something to merge: NaN twice.
  const g = readFileSync(twins);
  const sine = bytesOf(Float32Array.from({ length: 3 * 3 * 25 * 25 }, (_, i) => Math.sin(i)));
  const at = g.indexOf(Buffer.from(sine));
  g.set(bytesOf(weight), at);
  writeFileSync(twins, g);
  expect((await optimizeOnnx(twins, twins)).outcome).toBe('differs');
  expect(readFileSync(twins).equals(g)).toBe(true);
  expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('weights in another file and files of another kind are refused', async () => {
  const external = path.join(dir, 'external.onnx');
  const tensor = [bytesField(8, 'w'), Buffer.from([0x70, 1])];
  writeFileSync(external, messageField(7, [messageField(5, tensor)]));
  await expect(optimizeOnnx(external, external)).rejects.toThrow(CheckpointUnsupported);
  await expect(optimizeOnnx(mini, path.join(dir, 'x.onnx'))).rejects.toThrow(CheckpointDamaged);
  await expect(optimizeOnnx(path.join(dir, 'no'), 'x')).rejects.toThrow(CheckpointUnsupported);
});

test('a target that cannot be written is the disk speaking', async () => {
  const nowhere = path.join(dir, 'no', 'such', 'folder', 'x.onnx');
  await expect(optimizeOnnx(await writeExport(), nowhere)).rejects.toThrow(DiskUnavailable);
});

test('a model onnxruntime cannot run is refused, the file kept', async () => {
  const file = await writeExport();
  const bytes = readFileSync(file);
  bytes.write('Konv', bytes.indexOf('Conv_'));
  let at = bytes.indexOf(Buffer.from([0x22, 4, ...Buffer.from('Conv')]));
  for (; at >= 0; at = bytes.indexOf(Buffer.from([0x22, 4, ...Buffer.from('Conv')]), at + 1))
    bytes.write('Konv', at + 2);
  writeFileSync(file, bytes);
  await expect(optimizeOnnx(file, file)).rejects.toThrow(ModelUnfit);
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

test.each([
  ['a small file', 100, 400, async () => writeTwins(new Float32Array(3 * 3 * 25 * 25).fill(0.1))],
  ['an export', 25, 60_000, writeExport],
] as const)(
  'mutations of %s are refused in words or left alone',
  async (_, count, reach, write) => {
    const original = readFileSync(await write());
    const file = path.join(dir, 'mutated.onnx');
    let state = 7;
    const next = (limit: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let i = 0; i < count; i++) {
      // The structure lies in front of the weights; lengths and tags are what hurts.
      const bytes = Buffer.from(original);
      for (let times = 1 + next(3); times > 0; times--)
        bytes[next(i % 3 ? reach : 200)] = next(256);
      writeFileSync(file, i % 10 ? bytes : bytes.subarray(0, next(bytes.length)));
      const before = readFileSync(file);
      try {
        const { outcome } = await optimizeOnnx(file, path.join(dir, 'out.onnx'));
        expect(outcome).toMatch(/written|nothing-to-do|differs/);
      } catch (error) {
        if (!(error instanceof StudioError)) throw new Error(`mutation ${i}`, { cause: error });
      }
      expect(readFileSync(file).equals(before)).toBe(true);
    }
  },
  240_000,
);

test('what the converter writes is lean already', async () => {
  const file = path.join(dir, 'folded.onnx');
  await convertCheckpoint(mini, file, { heads: 2 });
  expect((await optimizeOnnx(file, file)).outcome).toBe('nothing-to-do');
});
