import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Cancelled, ModelUnfit } from '../../studio/errors/index.js';

/** Symbolic sides become this: small, and a multiple of 32. */
const SIDE_PX = 128;
/** Larger fixed inputs than this are no colouriser's. */
const MAX_ELEMENTS = 64_000_000;

/**
 * Run two models on the same random input, one after the other so that only one is in memory.
 * @returns the largest absolute difference of any output number; NaN if one is not a number.
 * @throws {ModelUnfit} one of them does not load, or takes or gives something else than float32.
 */
export async function compareModels(
  first: string,
  second: string,
  signal?: AbortSignal,
): Promise<number> {
  const a = await runOnce(first);
  if (signal?.aborted) throw new Cancelled();
  const b = await runOnce(second);
  let worst = 0;
  for (const [name, values] of a) {
    const others = b.get(name);
    if (others?.length !== values.length) return Number.NaN;
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs(values[i]! - others[i]!);
      if (!(difference <= worst)) worst = difference;
      if (Number.isNaN(worst)) return worst;
    }
  }
  return worst;
}

/** How `runOnce` runs a model. */
export interface RunOptions {
  /** What symbolic sides become. Default 128. */
  readonly sidePx?: number;
  /** Every operator as it is written, none fused with others. */
  readonly plain?: boolean;
}

/**
 * Outputs by name, for an input that depends on nothing but the model's input shapes.
 * @throws {ModelUnfit} it does not load, or takes or gives something else than float32.
 */
export async function runOnce(
  file: string,
  { sidePx = SIDE_PX, plain = false }: RunOptions = {},
): Promise<Map<string, Float32Array>> {
  let session: InferenceSession | undefined;
  try {
    session = await InferenceSession.create(file, {
      enableMemPattern: false,
      graphOptimizationLevel: plain ? 'disabled' : 'all',
    });
    const results = await session.run(randomInputs(file, session, sidePx));
    return new Map(
      Object.entries(results).map(([name, value]) => [name, asFloats(file, name, value)]),
    );
  } catch (error) {
    if (error instanceof ModelUnfit) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelUnfit(file, 'a model that onnxruntime runs', reason, error);
  } finally {
    await session?.release();
  }
}

function asFloats(file: string, name: string, value: Tensor): Float32Array {
  if (value.type !== 'float32') throw new ModelUnfit(file, `float32 ${name}`, value.type);
  return Float32Array.from(value.data as Float32Array);
}

function randomInputs(
  file: string,
  session: InferenceSession,
  sidePx: number,
): Record<string, Tensor> {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const inputs = session.inputMetadata.map((input) => {
    if (!input.isTensor || input.type !== 'float32')
      throw new ModelUnfit(file, 'float32 input', input.isTensor ? input.type : 'no tensor');
    const dims = input.shape.map((side, axis) => {
      if (typeof side === 'number' && side > 0) return side;
      return axis === 0 ? 1 : axis === 1 ? 3 : sidePx;
    });
    const count = dims.reduce((product, side) => product * side, 1);
    if (count > MAX_ELEMENTS) throw new ModelUnfit(file, 'an image as input', `[${dims}]`);
    return [input.name, new Tensor('float32', Float32Array.from({ length: count }, next), dims)];
  });
  return Object.fromEntries(inputs) as Record<string, Tensor>;
}
