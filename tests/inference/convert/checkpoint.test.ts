import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openCheckpoint } from '../../../src/inference/convert/checkpoint.js';
import { toFloats } from '../../../src/inference/convert/weight.js';
import { CheckpointDamaged, CheckpointUnsupported } from '../../../src/studio/errors/index.js';
import { writeSafetensors } from '../../support/safetensors.js';
import { type StoredTensor, writeTorchCheckpoint } from '../../support/torch-checkpoint.js';

const mini = path.join(__dirname, '../../fixtures/ddcolor-mini');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'convert-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const bytes = (values: ArrayBufferView) => () =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const counting = (count: number) => Float32Array.from({ length: count }, (_, i) => i - 2.5);

function read(tensors: readonly StoredTensor[]): Map<string, number[]> {
  const file = path.join(dir, 'some.pth');
  writeTorchCheckpoint(file, tensors);
  return readAll(file);
}

function readAll(file: string): Map<string, number[]> {
  const checkpoint = openCheckpoint(file);
  try {
    return new Map([...checkpoint.weights].map(([key, weight]) => [key, [...weight.read()]]));
  } finally {
    checkpoint.close();
  }
}

test('every key, shape and type of a real checkpoint', () => {
  const checkpoint = openCheckpoint(path.join(mini, 'mini.pth'));
  const found = [...checkpoint.weights].map(
    ([key, { shape, type }]) => `${key}\t[${shape.join(', ')}]\t${type}`,
  );
  checkpoint.close();
  expect(found).toEqual(readFileSync(path.join(mini, 'keys.txt'), 'utf8').trim().split('\n'));
});

test('numbers of a real checkpoint', () => {
  const checkpoint = openCheckpoint(path.join(mini, 'mini.pth'));
  expect([...checkpoint.weights.get('mean')!.read()]).toEqual([
    ...Float32Array.of(0.485, 0.456, 0.406),
  ]);
  checkpoint.close();
});

test('half and brain floats are read exactly', () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff);
  const brains = Uint16Array.of(0x3f80, 0xc000, 0x4049);
  const found = read([
    { name: 'half', shape: [4], storage: 'HalfStorage', bytes: bytes(halves) },
    { name: 'brain', shape: [3], storage: 'BFloat16Storage', bytes: bytes(brains) },
  ]);
  expect(found.get('half')).toEqual([1, -2, 2 ** -24, 65504]);
  expect(found.get('brain')).toEqual([1, -2, 3.140625]);
});

test('strides and offsets are honoured; strides of single sides mean nothing', () => {
  const storage = { count: 12, bytes: bytes(counting(12)) };
  const found = read([
    { name: 'transposed', shape: [4, 3], strides: [1, 4], ...storage },
    { name: 'part', shape: [2, 2], strides: [4, 1], offset: 5, ...storage },
    { name: 'single', shape: [1, 12], strides: [99999, 1], ...storage },
    { name: 'scalar', shape: [], strides: [], offset: 3, ...storage },
  ]);
  const n = [...counting(12)];
  expect(found.get('transposed')).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map((i) => n[i]));
  expect(found.get('part')).toEqual([5, 6, 9, 10].map((i) => n[i]));
  expect(found.get('single')).toEqual(n);
  expect(found.get('scalar')).toEqual([n[3]]);
});

test('safetensors hold the same numbers', () => {
  const file = path.join(dir, 'some.safetensors');
  writeSafetensors(file, [
    { name: 'odd', dtype: 'F16', shape: [1], data: bytes(Uint16Array.of(0x3c00))() },
    { name: 'matrix', dtype: 'F32', shape: [2, 3], data: bytes(counting(6))() },
    { name: 'brain', dtype: 'BF16', shape: [1], data: bytes(Uint16Array.of(0xc000))() },
  ]);
  const found = readAll(file);
  expect(found.get('matrix')).toEqual([...counting(6)]);
  expect(found.get('odd')).toEqual([1]);
  expect(found.get('brain')).toEqual([-2]);
});

test('float64 numbers are rounded to float32', () => {
  const doubles = Buffer.from(Float64Array.of(0.1, -3).buffer);
  expect([...toFloats(doubles, 'float64')]).toEqual([Math.fround(0.1), -3]);
});

test.each<[string, string | Buffer]>([
  ['an error page', '<!DOCTYPE html><html>404</html>'],
  ['an empty file', ''],
  ['the format before PyTorch 1.6', Buffer.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46])],
])('%s is refused with advice', (_, content) => {
  const file = path.join(dir, 'wrong.pth');
  writeFileSync(file, content);
  expect(() => openCheckpoint(file)).toThrow(CheckpointUnsupported);
});

test('a missing file and a folder are refused', () => {
  expect(() => openCheckpoint(path.join(dir, 'nowhere.pth'))).toThrow(CheckpointUnsupported);
  expect(() => openCheckpoint(dir)).toThrow(CheckpointUnsupported);
});

test('a number changed on disk is noticed by its checksum', () => {
  const content = readFileSync(path.join(mini, 'mini.pth'));
  const mean = content.indexOf(Buffer.from(Float32Array.of(0.485, 0.456, 0.406).buffer));
  content[mean + 3]! ^= 1;
  const file = path.join(dir, 'flipped.pth');
  writeFileSync(file, content);
  expect(() => readAll(file)).toThrow(CheckpointDamaged);
  expect(() => readAll(file)).toThrow(/checksum of mini\/data\/\d+ is wrong/);
});
