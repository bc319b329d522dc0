import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { openCheckpoint } from '../../../src/inference/convert/checkpoint.js';
import { compareModels } from '../../../src/inference/convert/compare-models.js';
import { bytesOf } from '../../../src/inference/convert/graph.js';
import { convertCheckpoint } from '../../../src/inference/convert/index.js';
import { Cancelled, CheckpointUnfit, DiskUnavailable } from '../../../src/studio/errors/index.js';
import { writeSafetensors } from '../../support/safetensors.js';
import { type StoredTensor, writeTorchCheckpoint } from '../../support/torch-checkpoint.js';

const mini = path.join(__dirname, '../../fixtures/ddcolor-mini/mini.pth');
const settings = { heads: 2 };
let dir: string;
let target: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'convert-'));
  target = path.join(dir, 'model.onnx');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** The miniature's weights, to be stored another way. */
function miniWeights(): { name: string; shape: readonly number[]; values: Float32Array }[] {
  const checkpoint = openCheckpoint(mini);
  const floats = [...checkpoint.weights].filter(([, { type }]) => type === 'float32');
  const weights = floats.map(([name, weight]) => {
    return { name, shape: weight.shape, values: weight.read() };
  });
  checkpoint.close();
  return weights;
}

test('says what was converted and what was left out', async () => {
  const seen: number[] = [];
  const onProgress = (written: number, total: number) => seen.push(written / total);
  const result = await convertCheckpoint(mini, target, { ...settings, onProgress });
  expect(result.bytes).toBe(readFileSync(target).length);
  expect(result.shape).toMatchObject({ widths: [8, 12, 20, 28], depths: [1, 1, 2, 1], heads: 2 });
  expect(result.ignored).toContain('encoder.arch.head_cls.weight');
  expect(result.ignored).toContain('decoder.layers.0.bn.num_batches_tracked');
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
});

test('the graph takes any size and says so', async () => {
  await convertCheckpoint(mini, target, settings);
  const session = await InferenceSession.create(target);
  expect(session.inputMetadata).toMatchObject([
    { name: 'input', type: 'float32', shape: [1, 3, 'height', 'width'] },
  ]);
  expect(session.outputMetadata).toMatchObject([
    { name: 'output', type: 'float32', shape: [1, 2, 'height', 'width'] },
  ]);
  await session.release();
});

test('the same weights give the same bytes', async () => {
  await convertCheckpoint(mini, target, settings);
  const first = readFileSync(target);
  await convertCheckpoint(mini, target, settings);
  expect(readFileSync(target).equals(first)).toBe(true);
});

test('safetensors, other storage orders and a shuffled order of keys make no difference', async () => {
  await convertCheckpoint(mini, target, settings);
  const weights = miniWeights().reverse();
  const safe = path.join(dir, 'mini.safetensors');
  writeSafetensors(
    safe,
    weights.map(({ name, shape, values }) => ({
      name,
      shape,
      dtype: 'F32',
      data: bytesOf(values),
    })),
  );
  const columnMajor = path.join(dir, 'columns.pth');
  writeTorchCheckpoint(columnMajor, weights.map(toColumnMajor));
  for (const other of [safe, columnMajor]) {
    const onnx = `${other}.onnx`;
    await convertCheckpoint(other, onnx, settings);
    expect(await compareModels(target, onnx)).toBe(0);
  }
});

/** Matrices stored column by column, as a transposed tensor is. */
function toColumnMajor(weight: ReturnType<typeof miniWeights>[number]): StoredTensor {
  const { name, shape, values } = weight;
  const [rows, columns] = shape;
  if (shape.length !== 2) return { name, shape, bytes: () => bytesOf(values) };
  const turned = values.map((_, i) => values[(i % rows!) * columns! + Math.floor(i / rows!)]!);
  return { name, shape, strides: [1, rows!], bytes: () => bytesOf(turned) };
}

function writeWeights(file: string, weights: ReturnType<typeof miniWeights>): void {
  const tensors = weights.map(({ values, ...rest }) => ({ ...rest, bytes: () => bytesOf(values) }));
  writeTorchCheckpoint(file, tensors);
}

test('a raised signal stops it and leaves nothing behind', async () => {
  const controller = new AbortController();
  const options = {
    ...settings,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  };
  await expect(convertCheckpoint(mini, target, options)).rejects.toThrow(Cancelled);
  expect(readdirSync(dir)).toEqual([]);
});

test('a target that cannot be written is the disk speaking', async () => {
  const nowhere = path.join(dir, 'no', 'such', 'folder', 'x.onnx');
  await expect(convertCheckpoint(mini, nowhere, settings)).rejects.toThrow(DiskUnavailable);
  mkdirSync(target);
  await expect(convertCheckpoint(mini, target, settings)).rejects.toThrow(DiskUnavailable);
  expect(readdirSync(dir)).toEqual(['model.onnx']);
});

test('an old result stays when the new conversion fails', async () => {
  writeFileSync(target, 'old');
  const broken = miniWeights().filter(({ name }) => name !== 'decoder.last_shuf.conv.0.bias');
  const file = path.join(dir, 'broken.pth');
  writeWeights(file, broken);
  await expect(convertCheckpoint(file, target, settings)).rejects.toThrow(CheckpointUnfit);
  expect(readFileSync(target, 'utf8')).toBe('old');
});

test('weights beyond what half floats hold are refused by name', async () => {
  const file = path.join(dir, 'huge.pth');
  const weights = miniWeights();
  const big = weights.find(({ name }) => name === 'decoder.layers.0.conv.0.weight_orig')!;
  big.values[5] = 1e9;
  // Without a share in sigma, which would divide it away.
  weights.find(({ name }) => name === 'decoder.layers.0.conv.0.weight_v')!.values[5] = 0;
  writeWeights(file, weights);
  const half = convertCheckpoint(file, target, { ...settings, storage: 'float16' });
  await expect(half).rejects.toThrow('unet0.merge.weight');
  await convertCheckpoint(file, target, settings);
});

test('numbers that are not finite are refused by name', async () => {
  const file = path.join(dir, 'nan.pth');
  const weights = miniWeights();
  weights.find(({ name }) => name === 'refine_net.0.0.weight_orig')!.values[3] = Number.NaN;
  writeWeights(file, weights);
  await expect(convertCheckpoint(file, target, settings)).rejects.toThrow(
    'refine_net.0.0.weight_orig',
  );
  expect(readdirSync(dir)).toEqual(['nan.pth']);
});
