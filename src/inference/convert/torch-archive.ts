import { crc32 } from 'node:zlib';
import { CheckpointDamaged, CheckpointUnsupported } from '../../studio/errors/index.js';
import type { ByteSource } from './byte-source.js';
import { readPickle } from './pickle.js';
import { isKind, type PickleDict, type PickleValue, type TensorRef } from './pickle-values.js';
import {
  elementCount,
  type Floats,
  toFloats,
  WEIGHT_BYTES,
  type Weight,
  type WeightType,
} from './weight.js';
import { readZipDirectory, refuseOddName, type ZipEntry } from './zip-directory.js';

const MAX_PICKLE_BYTES = 8 * 1024 * 1024;
const MAX_RANK = 8;

const TYPES: Readonly<Record<string, WeightType>> = {
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.DoubleStorage': 'float64',
  'torch.LongStorage': 'int64',
};

/**
 * The weights of a PyTorch archive: `<root>/data.pkl` describes them, `<root>/data/<key>` holds
 * the numbers. Takes `{'params': state dict}` and a bare state dict.
 * @throws {CheckpointDamaged | CheckpointUnsafe | CheckpointUnsupported}
 */
export function readTorchArchive(source: ByteSource): Map<string, Weight> {
  const entries = readZipDirectory(source);
  const root = findRoot(source, entries);
  refuseBigEndian(source, entries.get(`${root}byteorder`));
  const pickle = entries.get(`${root}data.pkl`)!;
  if (pickle.size > MAX_PICKLE_BYTES)
    throw new CheckpointDamaged(source.name, `data.pkl of ${pickle.size} bytes is implausible`);
  const top = readPickle(readChecked(source, pickle), source.name);
  const weights = new Map<string, Weight>();
  for (const [name, value] of stateDict(source, top).entries) {
    if (!isKind(value, 'tensor')) continue;
    refuseOddName(source.name, name);
    const entry = entries.get(`${root}data/${value.storage.key}`);
    weights.set(name, createWeight(source, name, value, entry));
  }
  return weights;
}

/** The root folder is the name the file had when it was saved, so it is searched. */
function findRoot(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length === 1) return pickles[0]!.slice(0, -'data.pkl'.length);
  if (entries.has('data.pkl')) return '';
  const hint = 'give a file written by torch.save';
  throw new CheckpointUnsupported(source.name, 'a ZIP archive without one data.pkl', hint);
}

function refuseBigEndian(source: ByteSource, entry: ZipEntry | undefined) {
  if (!entry || entry.size > 16) return;
  const order = readChecked(source, entry).toString('latin1').trim();
  if (order !== 'little')
    throw new CheckpointUnsupported(
      source.name,
      `byte order ${order}`,
      'save it on a usual machine',
    );
}

function stateDict(source: ByteSource, top: PickleValue): PickleDict {
  if (isKind(top, 'dict')) {
    for (const key of ['params', 'state_dict', 'params_ema']) {
      const inner = top.entries.get(key);
      if (isKind(inner, 'dict')) return inner;
    }
    if ([...top.entries.values()].some((value) => isKind(value, 'tensor'))) return top;
  }
  throw new CheckpointUnsupported(source.name, 'no state dict inside', 'give a file of weights');
}

function createWeight(
  source: ByteSource,
  name: string,
  tensor: TensorRef,
  entry: ZipEntry | undefined,
): Weight {
  const damaged = (detail: string) => new CheckpointDamaged(source.name, `${name}: ${detail}`);
  const type = TYPES[tensor.storage.type] ?? 'other';
  const { shape } = tensor;
  if (!entry) throw damaged(`its numbers (data/${tensor.storage.key}) are missing`);
  if (type === 'other') return { type, shape, read: () => toFloats(Buffer.from(''), type) };
  const itemBytes = WEIGHT_BYTES[type];
  if (entry.size !== tensor.storage.count * itemBytes)
    throw damaged(`declares ${tensor.storage.count} numbers, ${entry.size} bytes are there`);
  const last = lastIndex(tensor, damaged);
  return { type, shape, read: () => readTensor(source, entry, tensor, type, last) };
}

/** Index of the last element reached; checks shape and strides against the storage. */
function lastIndex(tensor: TensorRef, damaged: (detail: string) => Error): number {
  const { shape, strides, offset, storage } = tensor;
  if (shape.length > MAX_RANK || shape.length !== strides.length)
    throw damaged(`shape [${shape}] does not go with strides [${strides}]`);
  if (shape.some((side) => side < 0)) throw damaged(`a side of [${shape}] is negative`);
  if (strides.some((stride) => stride < 0)) throw damaged(`a stride of [${strides}] is negative`);
  if (elementCount(shape) > storage.count)
    throw damaged(`shape [${shape}] overlaps itself in ${storage.count} numbers`);
  const reach = shape.reduce((sum, side, axis) => sum + Math.max(0, side - 1) * strides[axis]!, 0);
  if (elementCount(shape) > 0 && offset + reach >= storage.count)
    throw damaged(`shape [${shape}] reaches past its ${storage.count} numbers`);
  return offset + reach;
}

function readTensor(
  source: ByteSource,
  entry: ZipEntry,
  tensor: TensorRef,
  type: Exclude<WeightType, 'other'>,
  last: number,
): Floats {
  const count = elementCount(tensor.shape);
  if (count === 0) return new Float32Array(0);
  const itemBytes = WEIGHT_BYTES[type];
  const whole = tensor.offset === 0 && (last + 1) * itemBytes === entry.size;
  const bytes = whole
    ? readChecked(source, entry)
    : source.read(entry.offset + tensor.offset * itemBytes, (last + 1 - tensor.offset) * itemBytes);
  const span = toFloats(bytes, type);
  return isContiguous(tensor) ? span : gather(span, tensor.shape, tensor.strides);
}

/** Strides of sides of length 1 mean nothing. */
function isContiguous({ shape, strides }: TensorRef): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function gather(span: Floats, shape: readonly number[], strides: readonly number[]): Floats {
  const out = new Float32Array(elementCount(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = span[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** A whole entry, with its checksum compared (writers that skip checksums leave zero). */
function readChecked(source: ByteSource, entry: ZipEntry): Buffer<ArrayBuffer> {
  const bytes = source.read(entry.offset, entry.size);
  if (entry.crc !== 0 && crc32(bytes) !== entry.crc)
    throw new CheckpointDamaged(source.name, `the checksum of ${entry.name} is wrong`);
  return bytes;
}
