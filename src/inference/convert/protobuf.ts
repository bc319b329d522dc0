/**
 * The few wire types of protocol buffers that ONNX needs. Hand-written because weights must be
 * streamed past: no library writes a 900 MB message without holding it.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** An unsigned or (as 64-bit two's complement) negative whole number. */
function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return Buffer.from(bytes);
}

/** Field with a whole number. */
export function integerField(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}

/** Field with a float32. */
export function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | FIXED32), bytes]);
}

/** Field with text, bytes or a message. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([bytesHeader(field, bytes.length), bytes]);
}

/** Only tag and length of a field whose bytes follow from elsewhere. */
export function bytesHeader(field: number, length: number): Buffer {
  return Buffer.concat([varint((field << 3) | LENGTH_DELIMITED), varint(length)]);
}

/** A message of fields that are already encoded. */
export function messageField(field: number, parts: readonly Uint8Array[]): Buffer {
  return bytesField(field, Buffer.concat(parts));
}
