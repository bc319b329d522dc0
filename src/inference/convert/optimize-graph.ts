import { createHash } from 'node:crypto';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { ByteSource } from './byte-source.js';
import { bytesOf } from './graph.js';
import type { OnnxFile, Range, StoredInitializer, StoredNode } from './onnx-reader.js';
import { bytesField, bytesHeader, integerField, messageField } from './protobuf.js';
import { memorySource, readFields } from './protobuf-reader.js';

/** What is left of a file, and what was done to it. */
export interface LeanOnnx {
  readonly nodes: readonly Buffer[];
  readonly kept: readonly StoredInitializer[];
  readonly computed: readonly ComputedInitializer[];
  /** Constant subgraphs replaced by their value; spectral norm is one per convolution. */
  readonly folded: number;
  /** Constants that were copies of another. */
  readonly merged: number;
  /** Constants nothing used. */
  readonly dropped: number;
}

/** A constant that a subgraph came to; float32. */
export interface ComputedInitializer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** What norms and reshapes of weights are made of. Nothing here makes a weight larger. */
const FOLDABLE = new Set([
  ...['Constant', 'Identity', 'Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze'],
  ...['Div', 'Mul', 'Add', 'Sub', 'Reciprocal', 'Sqrt', 'Pow', 'Abs', 'Neg'],
  ...['MatMul', 'Gemm', 'Einsum', 'ReduceSum', 'ReduceL2', 'ReduceSumSquare'],
]);
/** A subgraph without one of these only reshapes: not worth a change. */
const ARITHMETIC = /^(Div|Mul|MatMul|Gemm|Einsum|Reduce.*)$/;
const FLOAT32 = 1;
/** Below this, sharing saves nothing. */
const MIN_SHARED_BYTES = 1024;

/**
 * Replace spectral norm (any arithmetic on weights alone) by its result and store equal weights
 * once.
 * @param source the file that `onnx` was read from.
 */
export async function optimizeGraph(source: ByteSource, onnx: OnnxFile): Promise<LeanOnnx> {
  const folds = findFolds(onnx);
  const computed: ComputedInitializer[] = [];
  for (const fold of folds) {
    const value = await evaluate(source, onnx, fold);
    if (value) computed.push(value);
  }
  const done = new Set(computed.map(({ name }) => name));
  const remaining = onnx.nodes.filter((node) => !node.outputs.some((name) => done.has(name)));
  const live = dropDead(onnx, remaining);
  const used = namesUsed(onnx, live);
  const needed = onnx.initializers.filter(({ name }) => used.has(name) && !done.has(name));
  const copies = findCopies(source, needed, new Set(live.flatMap((node) => node.captured)), onnx);
  return {
    nodes: live.map((node) => renameInputs(node, copies)),
    kept: needed.filter(({ name }) => !copies.has(name)),
    computed,
    folded: computed.length,
    merged: copies.size,
    dropped: onnx.initializers.length - needed.length,
  };
}

interface Fold {
  readonly output: string;
  readonly nodes: readonly StoredNode[];
  readonly constants: readonly StoredInitializer[];
}

/** Maximal subgraphs that depend on constants only, by the value that leaves them. */
function findFolds(onnx: OnnxFile): Fold[] {
  const initializers = new Map(
    onnx.initializers.filter(({ name }) => !onnx.inputs.includes(name)).map((i) => [i.name, i]),
  );
  const makers = new Map<string, StoredNode>();
  const constant = (name: string) => initializers.has(name) || makers.has(name);
  for (const node of onnx.nodes) {
    const fits = node.domain === '' && FOLDABLE.has(node.type) && node.outputs.length === 1;
    if (fits && node.inputs.every(constant)) makers.set(node.outputs[0]!, node);
  }
  const inside = new Set(makers.values());
  const leaving = new Set([
    ...onnx.nodes.filter((node) => !inside.has(node)).flatMap((n) => [...n.inputs, ...n.captured]),
    ...onnx.outputs,
  ]);
  return [...makers.keys()]
    .filter((name) => leaving.has(name))
    .map((output) => collect(output, makers, initializers))
    .filter(({ nodes }) => nodes.some(({ type }) => ARITHMETIC.test(type)));
}

function collect(
  output: string,
  makers: ReadonlyMap<string, StoredNode>,
  initializers: ReadonlyMap<string, StoredInitializer>,
): Fold {
  const nodes = new Set<StoredNode>();
  const constants = new Set<StoredInitializer>();
  const visit = (name: string) => {
    const initializer = initializers.get(name);
    if (initializer) constants.add(initializer);
    const node = makers.get(name);
    if (!node || nodes.has(node)) return;
    for (const input of node.inputs) visit(input);
    nodes.add(node);
  };
  visit(output);
  return { output, nodes: [...nodes], constants: [...constants] };
}

/** Let onnxruntime compute a subgraph, so that its meaning is the runtime's own. */
async function evaluate(
  source: ByteSource,
  onnx: OnnxFile,
  fold: Fold,
): Promise<ComputedInitializer | undefined> {
  const graph = Buffer.concat([
    ...fold.nodes.map((node) => bytesField(1, node.bytes)),
    bytesField(2, 'fold'),
    ...fold.constants.map(({ message }) => bytesField(5, readRange(source, message))),
    messageField(12, [bytesField(1, fold.output)]),
  ]);
  const rest = onnx.modelRest.map((range) => readRange(source, range));
  const value = await runConstant(Buffer.concat([...rest, bytesField(7, graph)]), fold.output);
  if (value?.type !== 'float32') return undefined;
  const stored = fold.constants.reduce((sum, { message }) => sum + message.length, 0);
  const data = bytesOf(value.data as Float32Array).slice();
  return data.length > stored ? undefined : { name: fold.output, dims: value.dims, data };
}

/** @returns nothing where the runtime refuses: then the subgraph stays, and the whole is tried. */
async function runConstant(model: Buffer, output: string): Promise<Tensor | undefined> {
  let session: InferenceSession | undefined;
  try {
    session = await InferenceSession.create(model);
    return (await session.run({}))[output];
  } catch {
    return undefined;
  } finally {
    await session?.release();
  }
}

/** Nodes that reach an output. */
function dropDead(onnx: OnnxFile, nodes: readonly StoredNode[]): StoredNode[] {
  const needed = new Set(onnx.outputs);
  const live: StoredNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of [...node.inputs, ...node.captured]) needed.add(name);
    live.unshift(node);
  }
  return live;
}

function namesUsed(onnx: OnnxFile, nodes: readonly StoredNode[]): Set<string> {
  const inNodes = nodes.flatMap((node) => [...node.inputs, ...node.captured]);
  return new Set([...inNodes, ...onnx.outputs, ...onnx.inputs]);
}

/** Copy's name -> name of the one that stays. */
function findCopies(
  source: ByteSource,
  initializers: readonly StoredInitializer[],
  captured: ReadonlySet<string>,
  onnx: OnnxFile,
): Map<string, string> {
  const firsts = new Map<string, string>();
  const copies = new Map<string, string>();
  const pinned = new Set([...onnx.inputs, ...onnx.outputs, ...captured]);
  for (const { name, dims, type, raw } of initializers) {
    if (!raw || raw.length < MIN_SHARED_BYTES || pinned.has(name)) continue;
    const hash = createHash('sha256').update(readRange(source, raw)).digest('hex');
    const key = `${type}[${dims}]${hash}`;
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, name);
    else copies.set(name, first);
  }
  return copies;
}

/** The node's bytes with other input names. */
function renameInputs(node: StoredNode, names: ReadonlyMap<string, string>): Buffer {
  if (!node.inputs.some((name) => names.has(name))) return node.bytes;
  const source = memorySource('', node.bytes);
  const parts: Buffer[] = [];
  for (const field of readFields(source, 0, node.bytes.length)) {
    const end = field.offset + field.length;
    const text = field.field === 1 ? node.bytes.toString('utf8', field.offset, end) : '';
    const other = field.field === 1 ? names.get(text) : undefined;
    parts.push(other === undefined ? node.bytes.subarray(field.start, end) : bytesField(1, other));
  }
  return Buffer.concat(parts);
}

/** TensorProto of a computed constant, up to its data. */
export function computedHeader({ name, dims, data }: ComputedInitializer): Buffer {
  return Buffer.concat([
    ...dims.map((side) => integerField(1, side)),
    integerField(2, FLOAT32),
    bytesField(8, name),
    bytesHeader(9, data.length),
  ]);
}

function readRange(source: ByteSource, { offset, length }: Range): Buffer {
  return source.read(offset, length);
}
