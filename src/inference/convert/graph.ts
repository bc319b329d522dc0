import { strict as assert } from 'node:assert';
import { CheckpointUnfit } from '../../studio/errors/index.js';
import { floatsToHalves, MAX_FLOAT16 } from '../float16.js';
import { elementCount, type Floats } from './weight.js';

/** Element types of ONNX tensors (TensorProto.DataType). */
export const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;

/** Name of an element type. */
export type DataType = keyof typeof DATA_TYPES;

/** Whole numbers become INT, fractions FLOAT: use `{ float }` for a whole FLOAT. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

/** Attributes of a node, by name. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One operation: an ONNX NodeProto of opset 17. */
export interface GraphNode {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A stored constant; the bytes are made when it is written and dropped right after. */
export interface Initializer {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  load(): Uint8Array;
}

/** Shape with numbers or symbols (`height`); without one it is for the runtime to infer. */
export interface GraphValue {
  readonly name: string;
  readonly shape?: readonly (number | string)[];
}

/** A whole network: nodes in the order they run, constants, what goes in and out. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

/** How `weight` constants are stored. */
export type WeightStorage = 'float32' | 'float16';

/** Collects nodes and constants in order; every method returns the name of the new value. */
export interface GraphBuilder {
  /** A network weight, loaded when written. Stored as asked; computed with as float32. */
  weight(name: string, shape: readonly number[], load: () => Floats): string;
  /** A constant that is never stored smaller. */
  constant(name: string, type: DataType, shape: readonly number[], load: () => Uint8Array): string;
  /** A small float32 constant; equal ones share one entry. */
  floats(values: readonly number[], shape?: readonly number[]): string;
  /** A list (or with `scalar` one number) of int64; equal ones share one entry. */
  integers(values: readonly number[], scalar?: 'scalar'): string;
  /** A node with one output. */
  node(type: string, inputs: readonly string[], attributes?: Attributes): string;
  /** A node with several outputs. */
  nodes(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Attributes,
  ): string[];
  /** Give a value a name of its own, so that it can be an output. */
  rename(value: string, name: string): string;
  finish(inputs: readonly GraphValue[], outputs: readonly GraphValue[]): Graph;
}

/** Start an empty graph. */
export function createGraphBuilder(storage: WeightStorage = 'float32'): GraphBuilder {
  const nodes: GraphNode[] = [];
  const initializers: Initializer[] = [];
  const names = new Set<string>();
  const shared = new Map<string, string>();
  let serial = 0;

  function add(type: string, inputs: readonly string[], outputs: string[], attributes: Attributes) {
    nodes.push({ type, name: `${type}_${serial++}`, inputs, outputs, attributes });
    return outputs;
  }
  function constant(
    name: string,
    type: DataType,
    shape: readonly number[],
    load: () => Uint8Array,
  ) {
    assert(!names.has(name), `constant ${name} exists`);
    names.add(name);
    initializers.push({ name, type, shape, load });
    return name;
  }
  function small(type: DataType, shape: readonly number[], bytes: Uint8Array): string {
    const key = `${type}[${shape}]${Buffer.from(bytes).toString('base64')}`;
    const name = shared.get(key) ?? constant(`const_${shared.size}`, type, shape, () => bytes);
    shared.set(key, name);
    return name;
  }
  function node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return add(type, inputs, [`v${serial}`], attributes)[0]!;
  }

  return {
    constant,
    node,
    weight: (name, shape, load) => {
      const checked = () => {
        const values = load();
        assert.equal(values.length, elementCount(shape), name);
        return values;
      };
      if (storage === 'float32' || elementCount(shape) < SMALL_WEIGHT)
        return constant(name, 'float32', shape, () => bytesOf(checked()));
      const stored = constant(`${name}.half`, 'float16', shape, () => toHalfBytes(name, checked()));
      add('Cast', [stored], [name], { to: DATA_TYPES.float32 });
      return name;
    },
    floats: (values, shape = [values.length]) =>
      small('float32', shape, bytesOf(Float32Array.from(values))),
    integers: (values, scalar) =>
      small('int64', scalar ? [] : [values.length], bytesOf(BigInt64Array.from(values, BigInt))),
    nodes: (type, inputs, count, attributes = {}) => {
      const outputs = Array.from({ length: count }, (_, i) => `v${serial}_${i}`);
      return add(type, inputs, outputs, attributes);
    },
    rename: (value, name) => add('Identity', [value], [name], {})[0]!,
    finish: (inputs, outputs) => ({ nodes, initializers, inputs, outputs }),
  };
}

/** Biases and other vectors stay float32: they weigh nothing and rounding them costs accuracy. */
const SMALL_WEIGHT = 4096;

/** The memory of typed numbers, without copying. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function toHalfBytes(name: string, values: Floats): Uint8Array {
  for (let i = 0; i < values.length; i++)
    if (values[i]! > MAX_FLOAT16 || values[i]! < -MAX_FLOAT16)
      throw new CheckpointUnfit(name, `numbers up to ${MAX_FLOAT16} (float16)`, String(values[i]));
  return bytesOf(floatsToHalves(values));
}
