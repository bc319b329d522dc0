import { buildDdcolor, type DdcolorBuild, type DdcolorBuildOptions } from './build-ddcolor.js';
import { openCheckpoint } from './checkpoint.js';
import { writeOnnx } from './onnx-writer.js';

/** How a checkpoint becomes a file. */
export interface ConvertOptions extends DdcolorBuildOptions {
  readonly signal?: AbortSignal;
  /** Called after every constant written. */
  readonly onProgress?: (writtenBytes: number, totalBytes: number) => void;
}

/** What was written, and what the checkpoint held. */
export interface ConvertResult extends Pick<DdcolorBuild, 'shape' | 'ignored'> {
  /** Size of the ONNX file. */
  readonly bytes: number;
}

/**
 * Convert a DDColor checkpoint (`.pth` or `.safetensors`) to a lean ONNX file. Weights are read,
 * folded and written one by one; memory stays below 300 MB for every official file.
 * @param source path of the checkpoint.
 * @param target path of the ONNX file; replaced when the new one is complete, never before.
 * @throws {CheckpointDamaged | CheckpointUnsafe | CheckpointUnsupported | CheckpointUnfit}
 * @throws {DiskUnavailable} the target cannot be written.
 * @throws {Cancelled} the signal was raised; nothing is left behind.
 */
export async function convertCheckpoint(
  source: string,
  target: string,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  const { signal, onProgress } = options;
  const checkpoint = openCheckpoint(source);
  try {
    const { graph, shape, ignored } = buildDdcolor(checkpoint.weights, options);
    const metadata = { source: checkpoint.name, licence: 'as the source' };
    const bytes = await writeOnnx(graph, target, { metadata, signal, onProgress });
    return { bytes, shape, ignored };
  } finally {
    checkpoint.close();
  }
}
