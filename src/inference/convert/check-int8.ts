import { rm } from 'node:fs/promises';
import { Cancelled, Int8Differs } from '../../studio/errors/index.js';
import { openByteSource } from './byte-source.js';
import { runOnce } from './compare-models.js';
import { translateDiskError } from './disk-error.js';
import { floatTwin } from './float-twin.js';
import { readOnnx } from './onnx-reader.js';
import { writeLean } from './optimize-onnx.js';

/** Symbolic sides; at 1/32 there are still 64 rows, and faulty kernels were seen from 60 rows on. */
const SIDE_PX = 256;
/**
 * Largest difference that rounding explains: products are exact, but an activation on the edge of two
 * steps may fall on the other side. Measured on the miniature network: 0.003 %.
 */
const MAX_DIFFERENCE = 0.05;

/** What was compared. */
export interface Int8Check {
  /** Integer products in the graph; with none nothing was run. */
  readonly products: number;
  /** Root mean square of the difference over that of the float32 answer. */
  readonly difference: number;
}

/**
 * Run an int8 graph and the same graph in float32 arithmetic on this machine. Kernels for integers are
 * written per processor, and some have been wrong.
 * @param name for messages.
 * @throws {Int8Differs} they do not agree.
 * @throws {ModelUnfit} integer operators that cannot be written in float32, or no float32 in and out.
 * @throws {CheckpointDamaged | CheckpointUnsupported} not an ONNX file of one piece.
 * @throws {DiskUnavailable | Cancelled} nothing is left behind.
 */
export async function checkInt8(
  model: string,
  name: string,
  signal?: AbortSignal,
): Promise<Int8Check> {
  const twin = `${model}.${process.pid}.float32`;
  const file = openByteSource(model);
  try {
    const onnx = readOnnx(file);
    const { products, ...changed } = floatTwin(onnx, name);
    if (products === 0) return { products, difference: 0 };
    await writeLean(file, onnx, { ...changed, kept: onnx.initializers }, twin, signal);
    const integers = await runOnce(model, { sidePx: SIDE_PX });
    if (signal?.aborted) throw new Cancelled();
    const floats = await runOnce(twin, { sidePx: SIDE_PX, plain: true });
    const difference = largestDifference(integers, floats);
    // Written so that NaN counts as different.
    if (!(difference <= MAX_DIFFERENCE)) throw new Int8Differs(name, difference);
    return { products, difference };
  } catch (error) {
    throw translateDiskError(twin, error);
  } finally {
    file.close();
    await rm(twin, { force: true });
  }
}

/** Of all outputs the worst: root mean square of the difference over that of `right`. */
function largestDifference(
  left: ReadonlyMap<string, Float32Array>,
  right: ReadonlyMap<string, Float32Array>,
): number {
  let worst = 0;
  for (const [name, values] of right) {
    const others = left.get(name);
    if (others?.length !== values.length) return Number.NaN;
    let apart = 0;
    let size = 0;
    for (let i = 0; i < values.length; i++) {
      apart += (values[i]! - others[i]!) ** 2;
      size += values[i]! ** 2;
    }
    const share = apart === 0 ? 0 : Math.sqrt(apart / size);
    if (!(share <= worst)) worst = share;
    if (Number.isNaN(worst)) return worst;
  }
  return worst;
}
