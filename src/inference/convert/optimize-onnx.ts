import { open, rename, rm, stat } from 'node:fs/promises';
import { Cancelled } from '../../studio/errors/index.js';
import { type ByteSource, openByteSource } from './byte-source.js';
import { compareModels } from './compare-models.js';
import { translateDiskError } from './disk-error.js';
import { type OnnxFile, type Range, readOnnx } from './onnx-reader.js';
import { computedHeader, type LeanOnnx, optimizeGraph } from './optimize-graph.js';
import { bytesField, bytesHeader } from './protobuf.js';

/** Largest difference of outputs at which the lean file may replace the other. */
const MAX_DIFFERENCE = 1e-4;
const COPY_BYTES = 8 * 1024 * 1024;

/** What became lean, by how much, and that it still computes the same. */
export interface OptimizeResult extends Pick<LeanOnnx, 'folded' | 'merged' | 'dropped'> {
  readonly outcome: 'written' | 'nothing-to-do' | 'differs';
  readonly bytesBefore: number;
  /** Size of the lean file, also where it was not kept. */
  readonly bytesAfter: number;
  /** Largest difference of any output number on random input; 0 when nothing was to do. */
  readonly difference: number;
}

/**
 * Make somebody's ONNX export lean: compute spectral norm once and for all, store equal weights
 * once. Old and new run on the same random input; only when they agree to 1e-4 the new file
 * appears.
 * @param target may be `source` itself.
 * @throws {CheckpointDamaged | CheckpointUnsupported} not an ONNX file of one piece.
 * @throws {ModelUnfit} onnxruntime cannot run it.
 * @throws {DiskUnavailable | Cancelled} nothing is left behind.
 */
export async function optimizeOnnx(
  source: string,
  target: string,
  signal?: AbortSignal,
): Promise<OptimizeResult> {
  const partial = `${target}.${process.pid}.part`;
  const file = openByteSource(source);
  try {
    const onnx = readOnnx(file);
    const lean = await optimizeGraph(file, onnx);
    const { folded, merged, dropped } = lean;
    const result = { folded, merged, dropped, bytesBefore: file.size };
    if (folded + merged + dropped === 0)
      return { ...result, outcome: 'nothing-to-do', bytesAfter: file.size, difference: 0 };
    await writeLean(file, onnx, lean, partial, signal);
    const bytesAfter = (await stat(partial)).size;
    const difference = await compareModels(source, partial, signal);
    // Written so that NaN counts as different.
    if (!(difference <= MAX_DIFFERENCE))
      return { ...result, outcome: 'differs', bytesAfter, difference };
    await rename(partial, target);
    return { ...result, outcome: 'written', bytesAfter, difference };
  } catch (error) {
    throw translateDiskError(target, error);
  } finally {
    file.close();
    await rm(partial, { force: true });
  }
}

/** Write a file whose nodes and constants were changed; the rest is copied as it is. */
export async function writeLean(
  source: ByteSource,
  onnx: OnnxFile,
  lean: Pick<LeanOnnx, 'nodes' | 'kept' | 'computed'>,
  file: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const computed = lean.computed.map((item) => ({ header: computedHeader(item), data: item.data }));
  const nodes = Buffer.concat(lean.nodes.map((bytes) => bytesField(1, bytes)));
  const message = (length: number) => length + bytesHeader(5, length).length;
  const length =
    nodes.length +
    lean.kept.reduce((sum, item) => sum + message(item.message.length), 0) +
    computed.reduce((sum, { header, data }) => sum + message(header.length + data.length), 0) +
    onnx.graphRest.reduce((sum, range) => sum + range.length, 0);
  const handle = await open(file, 'w');
  const copy = async (range: Range) => {
    for (let at = 0; at < range.length; at += COPY_BYTES) {
      if (signal?.aborted) throw new Cancelled();
      await handle.appendFile(
        source.read(range.offset + at, Math.min(COPY_BYTES, range.length - at)),
      );
    }
  };
  try {
    for (const range of onnx.modelRest) await copy(range);
    await handle.appendFile(bytesHeader(7, length));
    await handle.appendFile(nodes);
    for (const range of onnx.graphRest) await copy(range);
    for (const { message: range } of lean.kept) {
      await handle.appendFile(bytesHeader(5, range.length));
      await copy(range);
    }
    for (const { header, data } of computed) {
      await handle.appendFile(bytesHeader(5, header.length + data.length));
      await handle.appendFile(header);
      await handle.appendFile(data);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}
