import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { Cancelled, InferenceOutOfMemory, PhotoUnreadable } from '../../src/studio/errors/index.js';
import type { Colorizer } from '../../src/studio/ports/colorizer.js';

export interface SepiaColorizer extends Colorizer {
  /** Out of memory above this input size, px. */
  memoryPx: number;
  /** Thrown by the next calls of that name, one per call. */
  readonly faults: { inspect: unknown[]; predict: unknown[]; render: unknown[] };
  readonly calls: { inspect: number; predict: number; render: number };
}

/** A colouriser without a network: real pictures in, the same in sepia out. */
export function createSepiaColorizer(): SepiaColorizer {
  const calls = { inspect: 0, predict: 0, render: 0 };
  const faults: SepiaColorizer['faults'] = { inspect: [], predict: [], render: [] };
  const count = (name: keyof typeof calls) => {
    calls[name] += 1;
    const fault = faults[name].shift();
    if (fault) throw fault;
  };
  const colorizer: SepiaColorizer = {
    memoryPx: 4096,
    faults,
    calls,
    inspect: async (file) => {
      count('inspect');
      const { width, height, format } = await sharp(file)
        .metadata()
        .catch((error) => {
          throw new PhotoUnreadable('not a picture', error);
        });
      const shape = { widthPx: width as number, heightPx: height as number };
      return { ...shape, format: String(format), bitDepth: 8, channels: 3, pages: 1, notes: [] };
    },
    predict: async (_file, { model, sizePx = 256 }, context = {}) => {
      count('predict');
      if (context.signal?.aborted) throw new Cancelled();
      if (sizePx > colorizer.memoryPx) throw new InferenceOutOfMemory('cpu', sizePx);
      const ab = new Float32Array(2 * 32 * 32).fill(10, 0, 1024).fill(20, 1024);
      context.onProgress?.(1);
      return {
        chroma: { widthPx: 32, heightPx: 32, ab },
        ...{ model, provider: 'cpu', seconds: 0.012, meanChroma: 22.4, notes: [] },
        ...{ inputWidthPx: sizePx, inputHeightPx: sizePx },
      };
    },
    render: async (file, _chroma, output, options, context = {}) => {
      count('render');
      if (context.signal?.aborted) throw new Cancelled();
      const edge = options.longEdgePx;
      const image = sharp(file).tint({ r: 200, g: 160, b: 110 });
      if (edge) image.resize(edge, edge, { fit: 'inside', withoutEnlargement: true });
      const { width, height } = await image
        .modulate({ saturation: options.strength ?? 1 })
        .withExif({ IFD0: { ImageDescription: `${options.layout ?? 'colour'}` } })
        .jpeg()
        .toFile(output);
      const { size } = await stat(output);
      const shape = { widthPx: width, heightPx: height, bytes: size };
      return { file: output, ...shape, format: 'jpeg', bitDepth: 8, notes: [] };
    },
    close: async () => {},
  };
  return colorizer;
}
