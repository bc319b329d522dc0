import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { meanChromaOf } from '../../studio/chroma-plane.js';
import { floatsToHalves, halvesToFloats } from '../float16.js';
import {
  ContractMismatch,
  EXPECTED_CONTRACT,
  type GraphTensor,
  type MatchedGraph,
  matchContract,
} from './contract.js';
import { saysOutOfMemory } from './memory-errors.js';
import type { Failure, LoadResult, LoadSpec, RunResult } from './protocol.js';
import {
  faultNote,
  type ProviderFault,
  providerFault,
  providerOrder,
  sessionOptions,
} from './providers.js';

/** A failure with the kind that decides what the host does next. */
export class SessionFailure extends Error {
  constructor(readonly failure: Failure) {
    super(failure.reason);
  }
}

/** A loaded network. */
export interface ModelSession extends LoadResult {
  /** @param planes [H, W] or [3, H, W], 0..1. @throws {SessionFailure} */
  run(planes: Float32Array, widthPx: number, heightPx: number): Promise<RunResult>;
  release(): Promise<void>;
}

/** Tried when a graph says "any size": the small one is cheap, the others are common baked-in sizes. */
const SMOKE_SIZES_PX = [64, 512, 256];

/**
 * Open a model on the first provider that works. Blocks the event loop while it loads and runs:
 * nothing else lives in this process.
 * @param onTrying called before each provider is touched, so that a native crash can be blamed.
 * @throws {SessionFailure}
 */
export async function openModelSession(
  spec: LoadSpec,
  onTrying: (provider: string) => void = () => {},
): Promise<ModelSession> {
  const fallbacks: ProviderFault[] = [];
  const supported = new Set(listSupportedBackends().map((backend) => backend.name));
  for (const provider of providerOrder(spec.providers)) {
    onTrying(provider);
    try {
      // onnxruntime drops a provider it does not know without a word and runs on the CPU.
      if (!supported.has(provider)) throw new Error('not in this build of onnxruntime');
      return await openOn(provider, spec, fallbacks);
    } catch (error) {
      const failure = classify(error, provider);
      if (failure.kind === 'unfit' || provider === 'cpu') throw new SessionFailure(failure);
      fallbacks.push(providerFault(provider, failure.reason));
    }
  }
  throw new SessionFailure({ kind: 'failed', reason: 'no execution provider works' });
}

async function openOn(
  provider: string,
  spec: LoadSpec,
  fallbacks: LoadResult['fallbacks'],
): Promise<ModelSession> {
  const options = sessionOptions(provider, spec.threads, spec.deviceId);
  const session = await InferenceSession.create(spec.modelFile, options);
  try {
    const matched = matchContract(
      session.inputMetadata as readonly GraphTensor[],
      session.outputMetadata as readonly GraphTensor[],
    );
    const proven = await prove(session, matched, provider);
    return {
      contract: {
        inputName: proven.inputName,
        outputName: proven.outputName,
        dtype: proven.inputType,
        fixed: proven.fixed,
        provider,
        notes: fallbacks.map(faultNote),
      },
      fallbacks,
      run: (planes, widthPx, heightPx) => runGraph(session, proven, planes, widthPx, heightPx),
      release: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/**
 * Smoke inference: kernels missing for a card, and sizes baked into a graph that claims to be
 * dynamic, show only when it runs. A fixed size on the CPU is proven by the first real run.
 */
async function prove(
  session: InferenceSession,
  matched: MatchedGraph,
  provider: string,
): Promise<MatchedGraph> {
  if (matched.fixed) {
    if (provider !== 'cpu') await smoke(session, matched, matched.fixed);
    return matched;
  }
  let firstError: unknown;
  for (const sizePx of SMOKE_SIZES_PX) {
    const size = { widthPx: sizePx, heightPx: sizePx };
    try {
      await smoke(session, matched, size);
      return sizePx === SMOKE_SIZES_PX[0] ? matched : { ...matched, fixed: size };
    } catch (error) {
      firstError ??= error;
      if (saysOutOfMemory(String(error))) break;
    }
  }
  throw firstError;
}

async function smoke(
  session: InferenceSession,
  graph: MatchedGraph,
  size: { widthPx: number; heightPx: number },
): Promise<void> {
  const grey = new Float32Array(size.widthPx * size.heightPx);
  for (let i = 0; i < grey.length; i += 1) grey[i] = (i % size.widthPx) / size.widthPx;
  await runGraph(session, graph, grey, size.widthPx, size.heightPx);
}

async function runGraph(
  session: InferenceSession,
  graph: MatchedGraph,
  planes: Float32Array,
  widthPx: number,
  heightPx: number,
): Promise<RunResult> {
  const pixels = widthPx * heightPx;
  const input = threePlanes(planes, pixels);
  const dims = [1, 3, heightPx, widthPx];
  const tensor =
    graph.inputType === 'float16'
      ? new Tensor('float16', floatsToHalves(input), dims)
      : new Tensor('float32', input, dims);
  const started = performance.now();
  const results = await guarded(() => session.run({ [graph.inputName]: tensor }));
  const seconds = (performance.now() - started) / 1000;
  const output = results[graph.outputName]!;
  const [, channels, outHeight, outWidth] = output.dims;
  if (channels !== 2 || outHeight !== heightPx || outWidth !== widthPx)
    throw new ContractMismatch(
      `output ${graph.outputName} [${output.dims.join(',')}] for input [${dims.join(',')}]`,
    );
  const ab = toFloat32(output);
  const meanChroma = meanChromaOf(ab);
  if (!Number.isFinite(meanChroma))
    throw new SessionFailure({ kind: 'numeric', reason: 'the network answered with NaN or Inf' });
  return { ab, seconds, meanChroma };
}

async function guarded<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new SessionFailure(classify(error, 'run'));
  }
}

function threePlanes(planes: Float32Array, pixels: number): Float32Array {
  if (planes.length === 3 * pixels) return planes;
  const input = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel += 1) input.set(planes, channel * pixels);
  return input;
}

function toFloat32(tensor: Tensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  const data = tensor.data as Uint16Array;
  return halvesToFloats(new Uint16Array(data.buffer, data.byteOffset, data.length));
}

function classify(error: unknown, where: string): Failure {
  if (error instanceof SessionFailure) return error.failure;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ContractMismatch)
    return { kind: 'unfit', reason, expected: EXPECTED_CONTRACT, found: error.found };
  if (saysOutOfMemory(reason)) return { kind: 'memory', reason };
  if (where === 'cpu' && isGraphFault(reason))
    return { kind: 'unfit', reason, expected: EXPECTED_CONTRACT, found: firstLine(reason) };
  return { kind: 'failed', reason: firstLine(reason) };
}

/** onnxruntime's own words for a file it cannot make a network of. */
function isGraphFault(reason: string): boolean {
  return /protobuf|INVALID_GRAPH|INVALID_PROTOBUF|NOT_IMPLEMENTED|not a registered|Unsupported model IR|opset|Load model .*failed|type inference|external data|ModelProto/i.test(
    reason,
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300);
}
