import { strict as assert } from 'node:assert';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Cancelled } from '../../studio/errors/index.js';
import { translateDiskError } from './disk-error.js';
import {
  type AttributeValue,
  DATA_TYPES,
  type DataType,
  type Graph,
  type GraphNode,
  type GraphValue,
  type Initializer,
} from './graph.js';
import { bytesField, bytesHeader, floatField, integerField, messageField } from './protobuf.js';
import { elementCount } from './weight.js';

/** Field numbers of onnx.proto3. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8, metadata: 14 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, string: 4, floats: 7, ints: 8, type: 20 } as const;
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 } as const;
const IR_VERSION = 8;
const OPSET = 17;
/** A protobuf message ends at 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

const ITEM_BYTES: Readonly<Record<DataType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** What goes with a file, and how its writing is followed. */
export interface WriteOptions {
  /** Shown by model viewers, e.g. where the weights came from. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called after every constant. */
  readonly onProgress?: (writtenBytes: number, totalBytes: number) => void;
}

/**
 * Write a graph as an ONNX file (opset 17, IR version 8), one constant at a time: memory stays at
 * a few of the largest constant. The file appears under its name only when it is complete.
 * @returns bytes written.
 * @throws {DiskUnavailable} full or read-only.
 * @throws {Cancelled} the signal was raised; nothing is left behind.
 */
export async function writeOnnx(
  graph: Graph,
  file: string,
  options: WriteOptions = {},
): Promise<number> {
  const partial = `${file}.${process.pid}.part`;
  let handle: FileHandle | undefined;
  try {
    handle = await open(partial, 'w');
    const size = await writeParts(handle, graph, options);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(partial, file);
    return size;
  } catch (error) {
    await handle?.close();
    await rm(partial, { force: true });
    throw translateDiskError(file, error);
  }
}

/** The whole model in memory; for small graphs. */
export function encodeOnnx(graph: Graph): Buffer {
  const { prefix, initializers } = layOut(graph, {});
  const parts = initializers.flatMap(({ header, initializer }) => [header, initializer.load()]);
  return Buffer.concat([prefix, ...parts]);
}

async function writeParts(handle: FileHandle, graph: Graph, options: WriteOptions) {
  const { prefix, initializers, total } = layOut(graph, options);
  assert(total <= MAX_MODEL_BYTES, 'a model above 2 GiB needs external data');
  await handle.writev([prefix]);
  let written = prefix.length;
  for (const { header, initializer } of initializers) {
    if (options.signal?.aborted) throw new Cancelled();
    const data = initializer.load();
    assert.equal(data.length, dataBytes(initializer), initializer.name);
    await writeAll(handle, header);
    await writeAll(handle, data);
    written += header.length + data.length;
    options.onProgress?.(written, total);
  }
  return written;
}

async function writeAll(handle: FileHandle, data: Uint8Array) {
  for (let done = 0; done < data.length; )
    done += (await handle.write(data, done, data.length - done)).bytesWritten;
}

/** All lengths follow from the shapes, so that every header can be written before its data. */
function layOut(graph: Graph, options: WriteOptions) {
  const initializers = graph.initializers.map((initializer) => {
    const head = Buffer.concat([
      ...initializer.shape.map((side) => integerField(TENSOR.dims, side)),
      integerField(TENSOR.type, DATA_TYPES[initializer.type]),
      bytesField(TENSOR.name, initializer.name),
      bytesHeader(TENSOR.raw, dataBytes(initializer)),
    ]);
    const length = head.length + dataBytes(initializer);
    const header = Buffer.concat([bytesHeader(GRAPH.initializer, length), head]);
    return { initializer, header, size: header.length + dataBytes(initializer) };
  });
  const weights = initializers.reduce((sum, { size }) => sum + size, 0);
  const structure = Buffer.concat([
    ...graph.nodes.map(encodeNode),
    bytesField(GRAPH.name, 'huancai'),
    ...graph.inputs.map((value) => encodeValue(GRAPH.input, value)),
    ...graph.outputs.map((value) => encodeValue(GRAPH.output, value)),
  ]);
  const prefix = Buffer.concat([
    integerField(MODEL.irVersion, IR_VERSION),
    bytesField(MODEL.producer, 'huancai'),
    messageField(MODEL.opset, [bytesField(1, ''), integerField(2, OPSET)]),
    ...Object.entries(options.metadata ?? {}).map(([key, value]) =>
      messageField(MODEL.metadata, [bytesField(1, key), bytesField(2, value)]),
    ),
    bytesHeader(MODEL.graph, structure.length + weights),
    structure,
  ]);
  return { prefix, initializers, total: prefix.length + weights };
}

function dataBytes({ shape, type }: Initializer): number {
  return elementCount(shape) * ITEM_BYTES[type];
}

function encodeNode(node: GraphNode): Buffer {
  return messageField(GRAPH.node, [
    ...node.inputs.map((name) => bytesField(NODE.input, name)),
    ...node.outputs.map((name) => bytesField(NODE.output, name)),
    bytesField(NODE.name, node.name),
    bytesField(NODE.type, node.type),
    ...Object.entries(node.attributes).map(([name, value]) =>
      messageField(NODE.attribute, [bytesField(ATTRIBUTE.name, name), ...encodeAttribute(value)]),
    ),
  ]);
}

/** AttributeType: FLOAT 1, INT 2, STRING 3, INTS 7. */
function encodeAttribute(value: AttributeValue): Buffer[] {
  const type = (code: number) => integerField(ATTRIBUTE.type, code);
  if (typeof value === 'string') return [bytesField(ATTRIBUTE.string, value), type(3)];
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? [integerField(ATTRIBUTE.int, value), type(2)]
      : [floatField(ATTRIBUTE.float, value), type(1)];
  if ('float' in value) return [floatField(ATTRIBUTE.float, value.float), type(1)];
  return [...value.map((item) => integerField(ATTRIBUTE.ints, item)), type(7)];
}

/** ValueInfoProto of a float32 tensor; a text side is a symbol (dim_param). */
function encodeValue(field: number, { name, shape }: GraphValue): Buffer {
  const dims = shape?.map((side) =>
    messageField(1, [typeof side === 'number' ? integerField(1, side) : bytesField(2, side)]),
  );
  const tensor = [integerField(1, DATA_TYPES.float32), ...(dims ? [messageField(2, dims)] : [])];
  return messageField(field, [bytesField(1, name), messageField(2, [messageField(1, tensor)])]);
}
