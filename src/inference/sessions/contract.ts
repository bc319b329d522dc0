import type { ResultNote } from '../../studio/ports/colorizer.js';

/**
 * What a colour network must look like: DDColor's contract. RGB-grey in, a*b* out, same size.
 */
export const EXPECTED_CONTRACT =
  'a DDColor-style ONNX network, such as "huancai models pull ddcolor-tiny" gets: one input [1,3,H,W], one output [1,2,H,W], float32 or float16';

/** How a model wants its input and gives its output, as found in the graph and proven by a run. */
export interface ModelContract {
  readonly inputName: string;
  readonly outputName: string;
  /** Tensor type of input and output; the host converts to and from float32. */
  readonly dtype: 'float32' | 'float16';
  /** Input size the graph forces, px. Absent: any multiple of 32. */
  readonly fixed?: { readonly widthPx: number; readonly heightPx: number };
  /** Execution provider that ran the smoke inference: cpu, cuda, webgpu, dml. */
  readonly provider: string;
  /** Providers that were configured but did not work, and how the graph was understood. */
  readonly notes: readonly ResultNote[];
}

/** A tensor of the graph, as onnxruntime describes it. Symbolic dimensions are strings. */
export interface GraphTensor {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** Names, types and fixed size found in a graph that fits. */
export interface MatchedGraph {
  readonly inputName: string;
  readonly outputName: string;
  readonly inputType: 'float32' | 'float16';
  readonly outputType: 'float32' | 'float16';
  readonly fixed?: { readonly widthPx: number; readonly heightPx: number };
}

/** The graph does not fit; `found` describes it in one line. */
export class ContractMismatch extends Error {
  constructor(readonly found: string) {
    super(`expected ${EXPECTED_CONTRACT}, found ${found}`);
  }
}

/** Find the image input and the a*b* output. @throws {ContractMismatch} */
export function matchContract(
  inputs: readonly GraphTensor[],
  outputs: readonly GraphTensor[],
): MatchedGraph {
  const found = `${inputs.map(describeTensor).join(' + ') || 'no input'} -> ${outputs.map(describeTensor).join(' + ') || 'no output'}`;
  const [input] = inputs;
  const [output] = outputs;
  if (inputs.length !== 1 || outputs.length !== 1 || !input || !output)
    throw new ContractMismatch(found);
  if (!fits(input, 3) || !fits(output, 2)) throw new ContractMismatch(found);
  const [, , height, width] = input.shape!;
  const sized = typeof height === 'number' && typeof width === 'number' && height > 0 && width > 0;
  return {
    inputName: input.name,
    outputName: output.name,
    inputType: input.type as 'float32' | 'float16',
    outputType: output.type as 'float32' | 'float16',
    fixed: sized ? { widthPx: width, heightPx: height } : undefined,
  };
}

/** Output channels are often symbolic in exports; the smoke inference decides those. */
function fits(tensor: GraphTensor, channels: number): boolean {
  if (!tensor.isTensor || (tensor.type !== 'float32' && tensor.type !== 'float16')) return false;
  const shape = tensor.shape ?? [];
  if (channels === 2 && shape.length === 0) return true;
  if (shape.length !== 4) return false;
  const [batch, found] = shape;
  if (typeof batch === 'number' && batch > 1) return false;
  return found === channels || (channels === 2 && isSymbolic(found));
}

function isSymbolic(dim: number | string | undefined): boolean {
  return typeof dim === 'string' || dim === undefined || dim < 0;
}

function describeTensor(tensor: GraphTensor): string {
  if (!tensor.isTensor) return `${tensor.name} (not a tensor)`;
  return `${tensor.name} ${tensor.type ?? '?'} [${(tensor.shape ?? []).join(',')}]`;
}
