import { CheckpointDamaged } from '../../studio/errors/index.js';
import type { ByteSource } from './byte-source.js';

/** One field of a message: where its tag starts and where its value lies in the file. */
export interface WireField {
  readonly field: number;
  readonly wireType: number;
  /** First byte of the tag. */
  readonly start: number;
  /** First byte of the value. */
  readonly offset: number;
  /** Bytes of the value. */
  readonly length: number;
  /** The number of a varint field. */
  readonly value: bigint;
}

/** Enough for any tag with a length. */
const HEAD_BYTES = 20;

/**
 * Fields of the message at `offset`, in order, without reading long values.
 * @throws {CheckpointDamaged} a field reaches past the message.
 */
export function* readFields(
  source: ByteSource,
  offset: number,
  length: number,
): Generator<WireField> {
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const head = source.read(at, Math.min(HEAD_BYTES, end - at));
    const field = readField(source, head, at);
    if (field.offset + field.length > end)
      throw new CheckpointDamaged(source.name, `a field at byte ${at} reaches past its message`);
    yield field;
    at = field.offset + field.length;
  }
}

function readField(source: ByteSource, head: Buffer, start: number): WireField {
  const damaged = () => new CheckpointDamaged(source.name, `no ONNX field at byte ${start}`);
  const tag = readVarint(head, 0);
  if (!tag) throw damaged();
  const [field, wireType] = [Number(tag.value >> 3n), Number(tag.value & 7n)];
  if (field === 0) throw damaged();
  const at = (length: number, from = tag.next, value = 0n) => {
    return { field, wireType, start, offset: start + from, length, value };
  };
  if (wireType === 1) return at(8);
  if (wireType === 5) return at(4);
  const number = readVarint(head, tag.next);
  if (!number || (wireType !== 0 && wireType !== 2)) throw damaged();
  if (wireType === 0) return at(number.next - tag.next, tag.next, number.value);
  if (number.value > BigInt(source.size)) throw damaged();
  return at(Number(number.value), number.next);
}

function readVarint(bytes: Buffer, at: number): { value: bigint; next: number } | undefined {
  let value = 0n;
  for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
    const byte = bytes[at++]!;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at };
  }
  return undefined;
}

/** A source over bytes in memory, for messages that were read whole. */
export function memorySource(name: string, bytes: Buffer): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => {
      const copy = Buffer.from(new ArrayBuffer(length));
      bytes.copy(copy, 0, offset, offset + length);
      return copy;
    },
    close: () => {},
  };
}
