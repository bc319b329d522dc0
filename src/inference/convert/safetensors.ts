import { CheckpointDamaged } from '../../studio/errors/index.js';
import type { ByteSource } from './byte-source.js';
import { elementCount, toFloats, WEIGHT_BYTES, type Weight, type WeightType } from './weight.js';
import { refuseOddName } from './zip-directory.js';

/** A state dict of 100,000 tensors stays below. */
const MAX_HEADER_BYTES = 20_000_000;

const TYPES: Readonly<Record<string, WeightType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
  I64: 'int64',
};

interface Slot {
  readonly name: string;
  readonly type: WeightType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The weights of a `.safetensors` file: header length, JSON header, numbers.
 * @throws {CheckpointDamaged}
 * @see https://github.com/huggingface/safetensors#format
 */
export function readSafetensors(source: ByteSource): Map<string, Weight> {
  const length = Number(source.read(0, 8).readBigUInt64LE());
  if (length > Math.min(MAX_HEADER_BYTES, source.size - 8))
    throw new CheckpointDamaged(source.name, `a header of ${length} bytes is impossible`);
  const start = 8 + length;
  const slots = parseHeader(source.name, source.read(8, length).toString('utf8'));
  let end = 0;
  for (const slot of [...slots].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (slot.begin < end)
      throw new CheckpointDamaged(source.name, `${slot.name} overlaps another tensor`);
    end = slot.end;
  }
  if (start + end > source.size)
    throw new CheckpointDamaged(source.name, 'the numbers are cut short');
  return new Map(slots.map((slot) => [slot.name, createWeight(source, slot, start)]));
}

function createWeight(source: ByteSource, slot: Slot, start: number): Weight {
  const { type, shape, begin, end } = slot;
  // Tensors need not be aligned in the file; the buffer read is.
  return { type, shape, read: () => toFloats(source.read(start + begin, end - begin), type) };
}

function parseHeader(file: string, text: string): Slot[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw new CheckpointDamaged(file, 'the header is not JSON', error);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new CheckpointDamaged(file, 'the header is not an object');
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseSlot(file, name, value));
}

function parseSlot(file: string, name: string, value: unknown): Slot {
  refuseOddName(file, name);
  const damaged = (detail: string) => new CheckpointDamaged(file, `${name}: ${detail}`);
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
    throw damaged('its description is incomplete');
  const [begin, end] = offsets as [number, number];
  const type = TYPES[dtype] ?? 'other';
  if (end < begin) throw damaged('it ends before it begins');
  if (type !== 'other' && end - begin !== elementCount(shape) * WEIGHT_BYTES[type])
    throw damaged(`shape [${shape}] of ${dtype} does not fill ${end - begin} bytes`);
  return { name, type, shape, begin, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
