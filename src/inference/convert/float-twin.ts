import { ModelUnfit } from '../../studio/errors/index.js';
import { bytesOf, DATA_TYPES } from './graph.js';
import type { OnnxFile, StoredNode } from './onnx-reader.js';
import type { ComputedInitializer } from './optimize-graph.js';
import { bytesField, integerField, messageField } from './protobuf.js';
import { memorySource, readFields } from './protobuf-reader.js';

/** The nodes of a graph with its integer products written in float32. */
export interface FloatTwin {
  readonly nodes: readonly Buffer[];
  /** Constants that the new nodes need. */
  readonly computed: readonly ComputedInitializer[];
  /** How many integer products were found, quantise-dequantise pairs included. */
  readonly products: number;
}

/** Names that no graph of others has. */
const ONE = 'huancai.twin.one';
const ZERO = 'huancai.twin.zero';
const NODE = { input: 1, output: 2, type: 4, attribute: 5 } as const;
/** onnxruntime's own integer operators; its exporters write them into optimised files. */
const OWN_INTEGER =
  /^(DynamicQuantize|MatMulInteger|Q(Linear|Attention|Gemm|Embed|Ordered)|ConvTransposeInteger)/;

/**
 * Write MatMulInteger, ConvInteger, QLinearMatMul and QLinearConv as what they stand for in float32;
 * pairs of quantise and dequantise stay, they are float32 as long as nothing is fused.
 * @throws {ModelUnfit} operators of onnxruntime alone, whose meaning is not written down.
 * @see https://onnx.ai/onnx/operators/
 */
export function floatTwin(onnx: OnnxFile, model: string): FloatTwin {
  const cast = new Set(onnx.nodes.filter(({ type }) => type === 'Cast').flatMap((n) => n.inputs));
  const others = onnx.nodes.filter(({ type }) => type !== 'Cast');
  for (const name of [...others.flatMap((n) => [...n.inputs, ...n.captured]), ...onnx.outputs])
    cast.delete(name);
  let products = 0;
  const nodes = onnx.nodes.flatMap((node) => {
    if (node.domain === 'com.microsoft' && OWN_INTEGER.test(node.type))
      throw new ModelUnfit(model, 'standard ONNX operators for integers', node.type);
    if (node.domain !== '') return [node.bytes];
    if (/^(QuantizeLinear|MatMulInteger|ConvInteger|QLinear(MatMul|Conv))$/.test(node.type))
      products += 1;
    if (node.type.endsWith('Integer')) return integerProduct(node, cast.has(node.outputs[0]!));
    if (node.type.startsWith('QLinear')) return quantizedProduct(node);
    return [node.bytes];
  });
  const number = (name: string, value: number) => ({
    name,
    dims: [],
    data: bytesOf(Float32Array.of(value)),
  });
  const used = nodes.some((bytes) => bytes.includes(ZERO));
  return { nodes, computed: used ? [number(ONE, 1), number(ZERO, 0)] : [], products };
}

/** MatMulInteger, ConvInteger: x, w, their zero points or nothing; the sums are int32. */
function integerProduct(node: StoredNode, onlyCast: boolean): Buffer[] {
  const [x, w, xZero, wZero] = node.inputs as [string, string, string?, string?];
  const [y] = node.outputs as [string];
  const matrix = node.type === 'MatMulInteger';
  const inner = (name: string) => `huancai.twin.${y}.${name}`;
  const nodes = [
    ...dequantized(x, xZero, inner('x'), matrix ? -2 : 1),
    ...dequantized(w, wZero, inner('w'), matrix ? 1 : 0),
    // int32 wraps and float32 does not: sums that are only cast to float32 anyway stay what they are.
    encode(matrix ? 'MatMul' : 'Conv', [inner('x'), inner('w')], onlyCast ? y : inner('y'), [
      ...attributes(node),
    ]),
  ];
  return onlyCast ? nodes : [...nodes, castTo(inner('y'), y, DATA_TYPES.int32)];
}

/** QLinearMatMul, QLinearConv: x, w with scale and zero point each, then those of the result. */
function quantizedProduct(node: StoredNode): Buffer[] {
  const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = node.inputs as string[];
  const [y] = node.outputs as [string];
  const matrix = node.type === 'QLinearMatMul';
  if (!matrix && node.type !== 'QLinearConv') return [node.bytes];
  const inner = (name: string) => `huancai.twin.${y}.${name}`;
  const parts = [inner('x'), inner('w'), ...(bias ? [inner('b')] : [])];
  return [
    encode('DequantizeLinear', [x!, xScale!, xZero!], inner('x'), [axis(matrix ? -2 : 1)]),
    encode('DequantizeLinear', [w!, wScale!, wZero!], inner('w'), [axis(matrix ? 1 : 0)]),
    ...(bias
      ? [
          castTo(bias, inner('sums'), DATA_TYPES.float32),
          encode('Mul', [xScale!, wScale!], inner('step')),
          encode('Mul', [inner('sums'), inner('step')], inner('b')),
        ]
      : []),
    encode(matrix ? 'MatMul' : 'Conv', parts, inner('y'), attributes(node)),
    encode('QuantizeLinear', [inner('y'), yScale!, yZero!], y),
  ];
}

/** x minus its zero point, as float32; a zero point per row or column goes along `along`. */
function dequantized(x: string, zero: string | undefined, out: string, along: number): Buffer[] {
  if (!zero) return [castTo(x, out, DATA_TYPES.float32)];
  return [
    castTo(zero, `${out}.zero`, DATA_TYPES.float32),
    // Ones of the zero point's shape.
    encode('Mul', [`${out}.zero`, ZERO], `${out}.none`),
    encode('Add', [`${out}.none`, ONE], `${out}.scale`),
    encode('DequantizeLinear', [x, `${out}.scale`, zero], out, [axis(along)]),
  ];
}

function castTo(input: string, output: string, type: number): Buffer {
  return encode('Cast', [input], output, [integerAttribute('to', type)]);
}

function axis(value: number): Buffer {
  return integerAttribute('axis', value);
}

/** AttributeProto: name 1, i 3, type 20 (INT is 2). */
function integerAttribute(name: string, value: number): Buffer {
  return messageField(NODE.attribute, [
    bytesField(1, name),
    integerField(3, value),
    integerField(20, 2),
  ]);
}

function attributes(node: StoredNode): Buffer[] {
  const fields = [...readFields(memorySource('', node.bytes), 0, node.bytes.length)];
  return fields
    .filter(({ field }) => field === NODE.attribute)
    .map(({ start, offset, length }) => node.bytes.subarray(start, offset + length));
}

function encode(
  type: string,
  inputs: readonly string[],
  output: string,
  attributeFields: readonly Buffer[] = [],
): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => bytesField(NODE.input, name)),
    bytesField(NODE.output, output),
    bytesField(NODE.type, type),
    ...attributeFields,
  ]);
}
