import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildDdcolor } from '../../../src/inference/convert/build-ddcolor.js';
import { openCheckpoint } from '../../../src/inference/convert/checkpoint.js';
import {
  CheckpointDamaged,
  CheckpointUnfit,
  CheckpointUnsafe,
  CheckpointUnsupported,
  StudioError,
} from '../../../src/studio/errors/index.js';
import { writeSafetensors } from '../../support/safetensors.js';
import {
  pickle,
  pickleStateDict,
  type StoredTensor,
  writeTorchCheckpoint,
  writeTorchZip,
} from '../../support/torch-checkpoint.js';

/** Files that lie, and files that want to run something. */
const miniFile = path.join(__dirname, '../../fixtures/ddcolor-mini/mini.pth');
let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'hostile-'));
  file = path.join(dir, 'hostile.pth');
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Open, build and read every number. */
function readWhole(name = file): void {
  const checkpoint = openCheckpoint(name);
  try {
    buildDdcolor(checkpoint.weights, { heads: 2 });
    for (const weight of checkpoint.weights.values()) if (/float/.test(weight.type)) weight.read();
  } finally {
    checkpoint.close();
  }
}

function writePickle(...opcodes: Buffer[]): void {
  writeTorchZip(file, [{ name: 'data.pkl', bytes: () => Buffer.concat(opcodes) }]);
}

describe('pickles that want to run something', () => {
  const call = (module: string, name: string, argument: string) => [
    pickle.start(),
    pickle.global(module, name),
    ...[pickle.mark(), pickle.text(argument), pickle.tuple(), pickle.reduce(), pickle.stop()],
  ];

  test.each([
    ['posix', 'system'],
    ['os', 'system'],
    ['nt', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'exec'],
    ['__builtin__', 'getattr'],
    ['subprocess', 'Popen'],
    ['torch', 'load'],
    ['torch', 'jit.load'],
    ['collections', 'OrderedDict.__class__'],
    ['torch._utils', '_rebuild_tensor_v2.__globals__'],
    ['torch', 'FloatStorage.__init__'],
  ])('%s.%s is refused by name and does nothing', (module, name) => {
    const trace = path.join(dir, 'trace');
    writePickle(...call(module, name, `touch ${trace}`));
    expect(() => readWhole()).toThrow(CheckpointUnsafe);
    expect(() => readWhole()).toThrow(`${module}.${name}`);
    expect(existsSync(trace)).toBe(false);
  });

  test.each([
    ['STACK_GLOBAL', 0x93],
    ['INST', 0x69],
    ['OBJ', 0x6f],
    ['NEWOBJ', 0x81],
    ['NEWOBJ_EX', 0x92],
    ['EXT1', 0x82],
    ['PERSID', 0x50],
  ])('opcode %s is refused by name', (name, code) => {
    writePickle(pickle.start(), Buffer.from([code]));
    expect(() => readWhole()).toThrow(CheckpointUnsafe);
    expect(() => readWhole()).toThrow(name);
  });

  test('a storage class is not a constructor', () => {
    writePickle(...call('torch', 'FloatStorage', 'x'));
    expect(() => readWhole()).toThrow(CheckpointUnsafe);
  });

  test('keys of JavaScript objects are only keys', () => {
    const one = { shape: [1], bytes: () => new Uint8Array(4) };
    writeTorchCheckpoint(file, [
      { name: '__proto__', ...one },
      { name: 'constructor', ...one },
    ]);
    const checkpoint = openCheckpoint(file);
    expect([...checkpoint.weights.keys()]).toEqual(['__proto__', 'constructor']);
    checkpoint.close();
    expect({}).not.toHaveProperty('shape');
  });
});

describe('tensors that lie', () => {
  const base: StoredTensor = { name: 'x', shape: [2, 3], bytes: () => new Uint8Array(24) };
  test.each<[string, Partial<StoredTensor>, string]>([
    ['a negative stride', { strides: [-3, 1] }, 'negative'],
    ['a negative side', { shape: [-2, 3], count: 6 }, 'negative'],
    ['a huge shape', { shape: [2 ** 31 - 1, 2 ** 31 - 1], count: 6 }, 'overlaps itself'],
    ['a huge storage', { count: 2 ** 40 }, 'bytes are there'],
    ['an expanded tensor', { shape: [1000, 6], strides: [0, 1], count: 6 }, 'overlaps itself'],
    ['a view past the end', { offset: 1, count: 6 }, 'reaches past'],
    ['strides past the end', { strides: [1000, 1], count: 6 }, 'reaches past'],
    ['too few strides', { strides: [1] }, 'does not go with'],
    ['too many sides', { shape: new Array(9).fill(1), count: 6 }, 'does not go with'],
  ])('%s is refused in words', (_, change, words) => {
    writeTorchCheckpoint(file, [{ ...base, ...change }]);
    expect(() => readWhole()).toThrow(CheckpointDamaged);
    expect(() => readWhole()).toThrow(words);
  });

  test('names that would speak to the terminal', () => {
    writeTorchCheckpoint(file, [{ ...base, name: 'x\u001b[2J' }]);
    expect(() => readWhole()).toThrow('control characters');
  });

  test('numbers that are missing', () => {
    const entry = { name: 'data.pkl', bytes: () => pickleStateDict([base]) };
    writeTorchZip(file, [entry]);
    expect(() => readWhole()).toThrow('are missing');
  });
});

describe('archives that lie', () => {
  const mini = readFileSync(miniFile);
  const end = mini.length - 22;
  const spoil = (change: (bytes: Buffer) => Buffer | undefined) => {
    const copy = Buffer.from(mini);
    writeFileSync(file, change(copy) ?? copy);
  };

  test.each([0.01, 0.5, 0.99, 0.9999])('cut short at %d of its length', (share) => {
    spoil((bytes) => bytes.subarray(0, Math.floor(bytes.length * share)));
    expect(() => readWhole()).toThrow(CheckpointDamaged);
  });

  test('a zip64 locator that points elsewhere', () => {
    spoil((bytes) => void bytes.writeBigUInt64LE(64n, end - 12));
    expect(() => readWhole()).toThrow('zip64');
  });

  test('a zip64 record outside of the file', () => {
    spoil((bytes) => void bytes.writeBigUInt64LE(2n ** 62n, end - 12));
    expect(() => readWhole()).toThrow(CheckpointDamaged);
  });

  test('two end records that disagree', () => {
    spoil((bytes) => void bytes.writeUInt16LE(3, end + 10));
    expect(() => readWhole()).toThrow('contradicts');
  });

  test('a directory of a huge size', () => {
    spoil((bytes) => {
      bytes.writeUInt32LE(0xffffffff, end + 12);
      bytes.writeBigUInt64LE(2n ** 50n, end - 20 - 56 + 40);
      return undefined;
    });
    expect(() => readWhole()).toThrow('implausible');
  });

  test('two entries over the same bytes', () => {
    spoil((bytes) => {
      const first = bytes.readUInt32LE(end + 16);
      const next = first + 46 + bytes.readUInt16LE(first + 28) + bytes.readUInt16LE(first + 30);
      bytes.writeUInt32LE(bytes.readUInt32LE(next + 42), first + 42);
      return undefined;
    });
    expect(() => readWhole()).toThrow('overlaps');
  });

  test('a compressed entry', () => {
    spoil((bytes) => void bytes.writeUInt16LE(8, bytes.readUInt32LE(end + 16) + 10));
    expect(() => readWhole()).toThrow(CheckpointUnsupported);
  });

  test('another kind of archive', () => {
    writeTorchZip(file, [{ name: 'word/document.xml', bytes: () => Buffer.from('<x/>') }]);
    expect(() => readWhole()).toThrow(CheckpointUnsupported);
  });
});

test.each<
  [string, (header: Record<string, { data_offsets: number[]; shape: number[] }>) => unknown]
>([
  ['overlap', (h) => ({ ...h, b: { ...h['b'], data_offsets: [4, 12] } })],
  ['huge shape', (h) => ({ ...h, a: { ...h['a'], shape: [2 ** 40, 2 ** 40] } })],
  ['end past the file', (h) => ({ ...h, b: { ...h['b'], shape: [200], data_offsets: [8, 808] } })],
  ['negative offset', (h) => ({ ...h, a: { ...h['a'], data_offsets: [-8, 0] } })],
  ['a number instead of a description', (h) => ({ ...h, a: 5 })],
])('safetensors with %s are refused', (_, change) => {
  const data = new Uint8Array(8);
  const tensor = { dtype: 'F32', shape: [2], data };
  const safe = path.join(dir, 'hostile.safetensors');
  writeSafetensors(
    safe,
    [
      { name: 'a', ...tensor },
      { name: 'b', ...tensor },
    ],
    change as never,
  );
  expect(() => readWhole(safe)).toThrow(CheckpointDamaged);
});

describe('other networks', () => {
  const tensors = (change: (all: Map<string, number[]>) => void): StoredTensor[] => {
    const checkpoint = openCheckpoint(miniFile);
    const shapes = new Map([...checkpoint.weights].map(([key, { shape }]) => [key, [...shape]]));
    checkpoint.close();
    change(shapes);
    return [...shapes].map(([name, shape]) => ({
      name,
      shape,
      bytes: () =>
        new Uint8Array(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1).buffer),
    }));
  };

  test.each<[string, (all: Map<string, number[]>) => void, string]>([
    [
      'a missing weight',
      (all) => all.delete('decoder.layers.1.bn.weight'),
      'decoder.layers.1.bn.weight',
    ],
    ['a missing block', (all) => all.delete('encoder.arch.stages.2.0.gamma'), 'stages.2.0.gamma'],
    ['another shape', (all) => all.set('decoder.layers.2.conv.0.weight_v', [3]), 'weight_v'],
    ['an extra weight', (all) => all.set('decoder.extra.weight', [3]), 'decoder.extra.weight'],
    ['weight norm', (all) => all.set('refine_net.0.0.weight_g', [2]), 'weight norm'],
    [
      'the single-scale decoder',
      (all) => all.set('decoder.color_decoder.input_proj.weight', [24, 16, 1, 1]),
      'SingleColorDecoder',
    ],
  ])('%s is refused by its key', (_, change, words) => {
    writeTorchCheckpoint(file, tensors(change));
    expect(() => readWhole()).toThrow(CheckpointUnfit);
    expect(() => readWhole()).toThrow(words);
  });

  test('a number of heads that does not divide the width', () => {
    const checkpoint = openCheckpoint(miniFile);
    expect(() => buildDdcolor(checkpoint.weights, { heads: 7 })).toThrow('7 attention heads');
    checkpoint.close();
  });
});

describe('1,000 mutated files', () => {
  /** Mulberry32: the same files in every run. */
  function random(seed: number): (limit: number) => number {
    let state = seed;
    return (limit) => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % limit;
    };
  }

  function mutate(original: Buffer, from: number, to: number, next: (limit: number) => number) {
    let bytes = Buffer.from(original);
    for (let times = 1 + next(4); times > 0; times--) {
      const at = Math.min(from + next(to - from), bytes.length - 9);
      const kind = next(6);
      if (kind === 0) bytes[at] = next(256);
      else if (kind === 1) bytes[at]! ^= 1 << next(8);
      else if (kind === 2) bytes.writeUInt32LE(next(2) ? 0xffffffff : 0x7fffffff, at);
      else if (kind === 3) bytes.fill(next(256), at, Math.min(at + next(64), bytes.length));
      else if (kind === 4) bytes.copy(bytes, at, from + next(to - from));
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + next(40))]);
    }
    return bytes;
  }

  /** @returns whether it was refused; anything but a StudioError fails the test. */
  function attempt(name: string, seed: number): boolean {
    try {
      readWhole(name);
      return false;
    } catch (error) {
      if (!(error instanceof StudioError)) throw new Error(`seed ${seed}`, { cause: error });
      return true;
    }
  }

  test('are read or refused in words, in bounded memory', () => {
    const mini = readFileSync(miniFile);
    const directory = mini.readUInt32LE(mini.length - 22 + 16);
    const before = process.memoryUsage().rss;
    let refused = 0;
    for (let seed = 0; seed < 500; seed++) {
      const next = random(seed);
      const from = seed % 2 ? directory : 0;
      writeFileSync(file, mutate(mini, from, mini.length, next));
      if (attempt(file, seed)) refused++;
    }
    // With right checksums, so that the interpreter itself meets the mutations.
    const { pickles, data } = takeApart(mini);
    for (let seed = 500; seed < 1000; seed++) {
      const next = random(seed);
      const mutated = mutate(pickles, 0, pickles.length, next);
      writeTorchZip(file, [{ name: 'data.pkl', bytes: () => mutated }, ...data]);
      if (attempt(file, seed)) refused++;
    }
    expect(refused).toBeGreaterThan(900);
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
  });
});

/** The pickle and the storages of an archive. */
function takeApart(bytes: Buffer) {
  const at = bytes.readUInt32LE(bytes.length - 22 + 16);
  const entries: { name: string; bytes: () => Buffer }[] = [];
  for (let i = at; bytes.readUInt32LE(i) === 0x02014b50; ) {
    const nameLength = bytes.readUInt16LE(i + 28);
    const name = bytes.toString('utf8', i + 46, i + 46 + nameLength);
    const header = bytes.readUInt32LE(i + 42);
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const content = bytes.subarray(start, start + bytes.readUInt32LE(i + 24));
    entries.push({ name: name.slice(name.indexOf('/') + 1), bytes: () => content });
    i += 46 + nameLength + bytes.readUInt16LE(i + 30) + bytes.readUInt16LE(i + 32);
  }
  const pickles = entries.find(({ name }) => name === 'data.pkl')!.bytes();
  return { pickles, data: entries.filter(({ name }) => name !== 'data.pkl') };
}
