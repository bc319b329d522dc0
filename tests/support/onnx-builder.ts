import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  bytesField,
  floatField,
  integerField,
  messageField,
} from '../../src/inference/convert/protobuf.js';

/** Small networks for tests, written as ONNX files (opset 17). Field numbers: onnx.proto3. */
export type Dim = number | string;
type ElementType = 'float32' | 'float16' | 'uint8' | 'int32';
const TYPE_CODE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const;

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly int?: Readonly<Record<string, number>>;
  readonly float?: Readonly<Record<string, number>>;
}

export interface Network {
  readonly inputs: readonly { name: string; shape: readonly Dim[]; type?: ElementType }[];
  readonly outputs: readonly { name: string; shape: readonly Dim[]; type?: ElementType }[];
  readonly nodes: readonly Node[];
  readonly weights?: Readonly<
    Record<
      string,
      {
        readonly shape: readonly number[];
        readonly data: Float32Array | Int8Array | Uint8Array | BigInt64Array;
      }
    >
  >;
}

export function writeNetwork(file: string, network: Network): string {
  const graph = messageField(7, [
    ...network.nodes.map(encodeNode),
    bytesField(2, 'test'),
    ...Object.entries(network.weights ?? {}).map(([name, { shape, data }]) =>
      messageField(5, [
        ...shape.map((side) => integerField(1, side)),
        integerField(2, typeOf(data)),
        bytesField(8, name),
        bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
      ]),
    ),
    ...network.inputs.map((value) => encodeValue(11, value)),
    ...network.outputs.map((value) => encodeValue(12, value)),
  ]);
  const opset = messageField(8, [bytesField(1, ''), integerField(2, 17)]);
  writeFileSync(file, Buffer.concat([integerField(1, 8), opset, graph]));
  return file;
}

function typeOf(data: Float32Array | Int8Array | Uint8Array | BigInt64Array): number {
  if (data instanceof Int8Array) return TYPE_CODE.int8;
  if (data instanceof Uint8Array) return TYPE_CODE.uint8;
  return data instanceof BigInt64Array ? TYPE_CODE.int64 : TYPE_CODE.float32;
}

function encodeNode({ op, inputs, outputs, ints = {}, int = {}, float = {} }: Node): Buffer {
  const attribute = (name: string, value: Buffer[], type: number) =>
    messageField(5, [bytesField(1, name), ...value, integerField(20, type)]);
  return messageField(1, [
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(4, op),
    ...Object.entries(ints).map(([name, values]) =>
      attribute(
        name,
        values.map((value) => integerField(8, value)),
        7,
      ),
    ),
    ...Object.entries(int).map(([name, value]) => attribute(name, [integerField(3, value)], 2)),
    ...Object.entries(float).map(([name, value]) => attribute(name, [floatField(2, value)], 1)),
  ]);
}

function encodeValue(
  field: number,
  { name, shape, type = 'float32' }: Network['inputs'][number],
): Buffer {
  const dims = shape.map((side) =>
    messageField(1, [typeof side === 'number' ? integerField(1, side) : bytesField(2, side)]),
  );
  const tensor = [integerField(1, TYPE_CODE[type]), messageField(2, dims)];
  return messageField(field, [bytesField(1, name), messageField(2, [messageField(1, tensor)])]);
}

export interface ColourNetOptions {
  /** Default: any size. */
  readonly sizePx?: number;
  readonly type?: ElementType;
  /** a* = gain x R + 5, b* = -gain x G. Default 40. */
  readonly gain?: number;
  /** 3x3 convolutions of `channels` before the end; they cost time and memory, not the answer. */
  readonly layers?: number;
  readonly channels?: number;
  /** Makes the file so much larger with a constant that nothing uses. */
  readonly unusedBytes?: number;
}

/** DDColor's contract in a few nodes, with an answer that can be worked out by hand. */
export function colourNet(file: string, options: ColourNetOptions = {}): string {
  const { sizePx, type = 'float32', gain = 40, layers = 0, channels = 8 } = options;
  const height = sizePx ?? 'height';
  const width = sizePx ?? 'width';
  const half = type === 'float16';
  const nodes: Node[] = half
    ? [{ op: 'Cast', inputs: ['input'], outputs: ['x'], int: { to: TYPE_CODE.float32 } }]
    : [{ op: 'Identity', inputs: ['input'], outputs: ['x'] }];
  const weights: Record<string, { shape: number[]; data: Float32Array }> = {
    w: { shape: [2, 3, 1, 1], data: new Float32Array([gain, 0, 0, 0, -gain, 0]) },
    b: { shape: [2], data: new Float32Array([gain === 0 ? 0 : 5, 0]) },
  };
  nodes.push({ op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['ab'] });
  nodes.push(...ballast(weights, layers, channels));
  const unused = (options.unusedBytes ?? 0) / 4;
  if (unused > 0) weights['unused'] = { shape: [unused], data: new Float32Array(unused) };
  nodes.push(
    half
      ? { op: 'Cast', inputs: ['sum'], outputs: ['output'], int: { to: TYPE_CODE.float16 } }
      : { op: 'Identity', inputs: ['sum'], outputs: ['output'] },
  );
  return writeNetwork(file, {
    inputs: [{ name: 'input', shape: ['batch', 3, height, width], type }],
    outputs: [{ name: 'output', shape: ['batch', 2, height, width], type }],
    nodes,
    weights,
  });
}

/** Real work whose result is scaled to nothing and added. */
function ballast(
  weights: Record<string, { shape: number[]; data: Float32Array }>,
  layers: number,
  channels: number,
): Node[] {
  if (layers === 0) return [{ op: 'Identity', inputs: ['ab'], outputs: ['sum'] }];
  const nodes: Node[] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    const fan = layer === 0 ? 3 : channels;
    weights[`k${layer}`] = { shape: [channels, fan, 3, 3], data: small(channels * fan * 9) };
    nodes.push({
      op: 'Conv',
      inputs: [layer === 0 ? 'x' : `h${layer - 1}`, `k${layer}`],
      outputs: [`h${layer}`],
      ints: { pads: [1, 1, 1, 1] },
    });
  }
  weights['last'] = { shape: [2, channels, 1, 1], data: new Float32Array(2 * channels) };
  nodes.push({ op: 'Conv', inputs: [`h${layers - 1}`, 'last'], outputs: ['nothing'] });
  nodes.push({ op: 'Add', inputs: ['ab', 'nothing'], outputs: ['sum'] });
  return nodes;
}

function small(length: number): Float32Array {
  const bytes = randomFillSync(new Int8Array(length));
  return Float32Array.from(bytes, (value) => value / 10_000);
}

/** Another network: an image classifier. */
export function classifierNet(file: string): string {
  return writeNetwork(file, {
    inputs: [{ name: 'image', shape: [1, 3, 224, 224] }],
    outputs: [{ name: 'scores', shape: [1, 3, 1, 1] }],
    nodes: [{ op: 'GlobalAveragePool', inputs: ['image'], outputs: ['scores'] }],
  });
}

/** Claims any size, but only 256 px works: the size is baked into the graph. */
export function bakedInNet(file: string): string {
  const weights = {
    w: { shape: [2, 3, 1, 1], data: new Float32Array([30, 0, 0, 0, 30, 0]) },
    grid: { shape: [1, 1, 256, 256], data: new Float32Array(256 * 256) },
  };
  return writeNetwork(file, {
    inputs: [{ name: 'input', shape: [1, 3, 'h', 'w'] }],
    outputs: [{ name: 'output', shape: [1, 2, 'h', 'w'] }],
    nodes: [
      { op: 'Conv', inputs: ['input', 'w'], outputs: ['ab'] },
      { op: 'Add', inputs: ['ab', 'grid'], outputs: ['output'] },
    ],
    weights,
  });
}

/** Answers NaN. */
export function nanNet(file: string): string {
  return writeNetwork(file, {
    inputs: [{ name: 'input', shape: [1, 3, 64, 64] }],
    outputs: [{ name: 'output', shape: [1, 2, 64, 64] }],
    nodes: [{ op: 'Conv', inputs: ['input', 'w'], outputs: ['output'] }],
    weights: { w: { shape: [2, 3, 1, 1], data: new Float32Array(6).fill(Number.NaN) } },
  });
}

/**
 * A colouriser with one product in 8-bit integers, `rows` numbers long. The sums are int32: from about
 * 66,000 rows on they overflow, and the answer is another one than in float32.
 */
export function int8Net(file: string, rows: number): string {
  const axes = (...values: number[]) => ({
    shape: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  return writeNetwork(file, {
    inputs: [{ name: 'input', shape: ['batch', 3, 'height', 'width'] }],
    outputs: [{ name: 'output', shape: ['batch', 2, 'height', 'width'] }],
    nodes: [
      { op: 'Conv', inputs: ['input', 'pick'], outputs: ['ab'] },
      { op: 'ReduceMax', inputs: ['input'], outputs: ['brightest'] },
      { op: 'Reshape', inputs: ['brightest', 'one'], outputs: ['flat'] },
      { op: 'Expand', inputs: ['flat', 'long'], outputs: ['x'] },
      { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['bytes', 'step', 'zero'] },
      { op: 'MatMulInteger', inputs: ['bytes', 'weights', 'zero'], outputs: ['sums'] },
      { op: 'Cast', inputs: ['sums'], outputs: ['floats'], int: { to: TYPE_CODE.float32 } },
      { op: 'Mul', inputs: ['floats', 'scale'], outputs: ['scaled'] },
      { op: 'Reshape', inputs: ['scaled', 'planes'], outputs: ['shift'] },
      { op: 'Add', inputs: ['ab', 'shift'], outputs: ['output'] },
    ],
    weights: {
      pick: { shape: [2, 3, 1, 1], data: Float32Array.of(1, 0, 0, 0, 1, 0) },
      weights: { shape: [rows, 2], data: new Int8Array(2 * rows).fill(127) },
      scale: { shape: [], data: Float32Array.of(20 / (rows * 255 * 127)) },
      one: axes(1, 1),
      long: axes(1, rows),
      planes: axes(1, 2, 1, 1),
    },
  });
}
