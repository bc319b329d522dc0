import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A tensor to be stored; numbers are made when they are written. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Storage class of torch; default FloatStorage. */
  readonly storage?: 'FloatStorage' | 'HalfStorage' | 'BFloat16Storage' | 'LongStorage';
  readonly bytes: () => Uint8Array;
  /** Elements in the storage; default: as many as the shape has. */
  readonly count?: number;
  readonly offset?: number;
  readonly strides?: readonly number[];
}

/** Opcodes of pickle protocol 2, as torch.save writes them. */
export const pickle = {
  start: () => Buffer.from([0x80, 2]),
  emptyDict: () => Buffer.from('}'),
  emptyTuple: () => Buffer.from(')'),
  mark: () => Buffer.from('('),
  setItems: () => Buffer.from('u'),
  setItem: () => Buffer.from('s'),
  tuple: () => Buffer.from('t'),
  reduce: () => Buffer.from('R'),
  persistent: () => Buffer.from('Q'),
  stop: () => Buffer.from('.'),
  no: () => Buffer.from([0x89]),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  text: (value: string) => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5);
    head.write('X');
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  integer: (value: number) => {
    if (value !== Math.trunc(value) || Math.abs(value) >= 2 ** 31) {
      const long = Buffer.alloc(10);
      long.set([0x8a, 8]);
      long.writeBigInt64LE(BigInt(value), 2);
      return long;
    }
    const head = Buffer.alloc(5);
    head.write('J');
    head.writeInt32LE(value, 1);
    return head;
  },
};

const integers = (values: readonly number[]) =>
  Buffer.concat([pickle.mark(), ...values.map(pickle.integer), pickle.tuple()]);
const orderedDict = () =>
  Buffer.concat([
    pickle.global('collections', 'OrderedDict'),
    pickle.emptyTuple(),
    pickle.reduce(),
  ]);

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
}

function pickleTensor(tensor: StoredTensor, key: number): Buffer {
  const count = tensor.count ?? tensor.shape.reduce((product, side) => product * side, 1);
  return Buffer.concat([
    pickle.global('torch._utils', '_rebuild_tensor_v2'),
    pickle.mark(),
    ...[pickle.mark(), pickle.text('storage')],
    pickle.global('torch', tensor.storage ?? 'FloatStorage'),
    ...[pickle.text(String(key)), pickle.text('cpu'), pickle.integer(count)],
    ...[pickle.tuple(), pickle.persistent()],
    pickle.integer(tensor.offset ?? 0),
    integers(tensor.shape),
    integers(tensor.strides ?? rowMajor(tensor.shape)),
    ...[pickle.no(), orderedDict(), pickle.tuple(), pickle.reduce()],
  ]);
}

/** `data.pkl` of `{'params': OrderedDict}`. */
export function pickleStateDict(tensors: readonly StoredTensor[]): Buffer {
  const items = tensors.flatMap((tensor, key) => [
    pickle.text(tensor.name),
    pickleTensor(tensor, key),
  ]);
  return Buffer.concat([
    ...[pickle.start(), pickle.emptyDict(), pickle.text('params'), orderedDict()],
    ...[pickle.mark(), ...items, pickle.setItems(), pickle.setItem(), pickle.stop()],
  ]);
}

/** Write a checkpoint as torch.save does, one tensor at a time. */
export function writeTorchCheckpoint(file: string, tensors: readonly StoredTensor[]): void {
  writeTorchZip(file, [
    { name: 'data.pkl', bytes: () => pickleStateDict(tensors) },
    ...tensors.map((tensor, key) => ({ name: `data/${key}`, bytes: tensor.bytes })),
    { name: 'version', bytes: () => Buffer.from('3\n') },
  ]);
}

/**
 * A ZIP as torch writes it: stored entries, sizes only in data descriptors and in the central
 * directory, data padded to 64 bytes by the local extra field, a zip64 end record.
 */
export function writeTorchZip(
  file: string,
  entries: readonly { name: string; bytes: () => Uint8Array }[],
  root = 'archive',
): void {
  const descriptor = openSync(file, 'w');
  let at = 0;
  const write = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    at += bytes.length;
  };
  const directory: Buffer[] = [];
  for (const entry of entries) {
    const name = Buffer.from(`${root}/${entry.name}`);
    const bytes = entry.bytes();
    const crc = crc32(bytes);
    const offset = at;
    write(localHeader(name, at));
    write(bytes);
    write(words(0x08074b50, crc, bytes.length, bytes.length));
    directory.push(centralHeader(name, crc, bytes.length, offset));
  }
  const start = at;
  write(Buffer.concat(directory));
  write(endRecords(directory.length, start, at - start));
  closeSync(descriptor);
}

function words(...values: number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) out.writeUInt32LE(value >>> 0, 4 * i);
  return out;
}

function localHeader(name: Buffer, at: number): Buffer {
  const padding = (64 - ((at + 30 + name.length + 4) % 64)) % 64;
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(0x0808, 6);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(4 + padding, 28);
  const extra = Buffer.alloc(4 + padding, 0x5a);
  extra.write('FB');
  extra.writeUInt16LE(padding, 2);
  return Buffer.concat([head, name, extra]);
}

function centralHeader(name: Buffer, crc: number, size: number, offset: number): Buffer {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(0x0808, 8);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(size, 20);
  head.writeUInt32LE(size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt32LE(offset, 42);
  return Buffer.concat([head, name]);
}

function endRecords(count: number, start: number, size: number): Buffer {
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + size), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(start, 16);
  return Buffer.concat([end64, locator, end]);
}
