import { CheckpointDamaged, CheckpointUnsupported } from '../../studio/errors/index.js';
import type { ByteSource } from './byte-source.js';
import { memorySource, readFields, type WireField } from './protobuf-reader.js';

/** Bytes `offset` to `offset + length` of the file. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** One node of a file. */
export interface StoredNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that graphs inside the node (If, Loop) take from outside. */
  readonly captured: readonly string[];
  /** The NodeProto as it was. */
  readonly bytes: Buffer;
}

/** One constant of a file, still lying there. */
export interface StoredInitializer {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType; 1 is float32. */
  readonly type: number;
  /** The whole TensorProto. */
  readonly message: Range;
  /** `raw_data`, where the numbers lie that way. */
  readonly raw?: Range;
}

/** An ONNX file taken apart; everything not understood is kept as ranges and copied verbatim. */
export interface OnnxFile {
  readonly nodes: readonly StoredNode[];
  readonly initializers: readonly StoredInitializer[];
  /** Names of graph inputs and outputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Fields of the model other than the graph, tags included. */
  readonly modelRest: readonly Range[];
  /** Fields of the graph other than nodes, initializers and type hints, tags included. */
  readonly graphRest: readonly Range[];
}

const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
const TENSOR_EXTERNAL = 14;

/**
 * Read the structure of an ONNX file; weights stay in the file.
 * @throws {CheckpointDamaged} not ONNX, or cut short.
 * @throws {CheckpointUnsupported} weights in other files.
 */
export function readOnnx(source: ByteSource): OnnxFile {
  const fields = [...readFields(source, 0, source.size)];
  const graphs = fields.filter((field) => field.field === MODEL_GRAPH && field.wireType === 2);
  if (graphs.length !== 1) throw new CheckpointDamaged(source.name, 'it holds no ONNX graph');
  const nodes: StoredNode[] = [];
  const initializers: StoredInitializer[] = [];
  const names = { [GRAPH.input]: [] as string[], [GRAPH.output]: [] as string[] };
  const graphRest: Range[] = [];
  for (const field of readFields(source, graphs[0]!.offset, graphs[0]!.length)) {
    if (field.field === GRAPH.node) nodes.push(readNode(source, field));
    else if (field.field === GRAPH.initializer) initializers.push(readInitializer(source, field));
    else if (field.field !== GRAPH.valueInfo) graphRest.push(wholeField(field));
    if (field.field === GRAPH.input || field.field === GRAPH.output)
      names[field.field].push(readText(source, field, 1));
  }
  return {
    nodes,
    initializers,
    inputs: names[GRAPH.input],
    outputs: names[GRAPH.output],
    modelRest: fields.filter((field) => field !== graphs[0]).map(wholeField),
    graphRest,
  };
}

function wholeField({ start, offset, length }: WireField): Range {
  return { offset: start, length: offset + length - start };
}

function readText(source: ByteSource, message: Range, wanted: number): string {
  for (const field of readFields(source, message.offset, message.length))
    if (field.field === wanted) return source.read(field.offset, field.length).toString('utf8');
  return '';
}

function readNode(file: ByteSource, { offset, length }: Range): StoredNode {
  const bytes = file.read(offset, length);
  const source = memorySource(file.name, bytes);
  const node = { inputs: [] as string[], outputs: [] as string[], type: '', domain: '' };
  const captured: string[] = [];
  for (const field of readFields(source, 0, bytes.length)) {
    const text = () => source.read(field.offset, field.length).toString('utf8');
    if (field.field === 1) node.inputs.push(text());
    else if (field.field === 2) node.outputs.push(text());
    else if (field.field === 4) node.type = text();
    else if (field.field === 7) node.domain = text();
    else if (field.field === 5) captured.push(...namesInAttribute(source, field));
  }
  return { ...node, captured, bytes };
}

/** Every input name of graphs (fields g = 6, graphs = 11) inside an attribute. */
function namesInAttribute(source: ByteSource, attribute: Range): string[] {
  const names: string[] = [];
  for (const field of readFields(source, attribute.offset, attribute.length)) {
    if (field.field !== 6 && field.field !== 11) continue;
    for (const inner of readFields(source, field.offset, field.length)) {
      if (inner.field === GRAPH.output) names.push(readText(source, inner, 1));
      if (inner.field !== GRAPH.node) continue;
      const node = readNode(source, inner);
      names.push(...node.inputs, ...node.captured);
    }
  }
  return names;
}

function readInitializer(source: ByteSource, message: WireField): StoredInitializer {
  const dims: number[] = [];
  let type = 0;
  let name = '';
  let raw: Range | undefined;
  for (const field of readFields(source, message.offset, message.length)) {
    if (field.field === 1) dims.push(...readDims(source, field));
    else if (field.field === 2) type = Number(field.value);
    else if (field.field === 8) name = source.read(field.offset, field.length).toString('utf8');
    else if (field.field === 9) raw = { offset: field.offset, length: field.length };
    else if (field.field === TENSOR_EXTERNAL && field.value === 1n)
      throw new CheckpointUnsupported(
        source.name,
        'its weights lie in another file',
        'save the model as one file (onnx.save with save_as_external_data=False)',
      );
  }
  return { name, dims, type, message: { offset: message.offset, length: message.length }, raw };
}

/** Packed or one by one. */
function readDims(source: ByteSource, field: WireField): number[] {
  if (field.wireType === 0) return [Number(field.value)];
  const dims: number[] = [];
  let value = 0;
  let shift = 1;
  for (const byte of source.read(field.offset, field.length)) {
    value += (byte & 0x7f) * shift;
    shift *= 128;
    if (byte >= 0x80) continue;
    dims.push(value);
    value = 0;
    shift = 1;
  }
  return dims;
}
