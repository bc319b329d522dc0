import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Cancelled, ModelUnfit } from '../../studio/errors/index.js';
import { limits } from '../../studio/limits.js';
import { labFromSrgb } from '../color/lab.js';
import { modelInput } from '../render/model-input.js';
import { ciede2000 } from './ciede2000.js';

/** How far two models' colours for one photo lie apart, CIEDE2000 per pixel. */
export interface PhotoDifference {
  readonly photo: string;
  readonly mean: number;
  /** 95 of 100 pixels differ less. */
  readonly p95: number;
  readonly max: number;
}

/** How two networks are compared. */
export interface PhotoDifferenceOptions {
  /** Square input size of both networks, a multiple of 32. Default 512, DDColor's own. */
  readonly sizePx?: number;
  readonly signal?: AbortSignal;
}

/**
 * Colour photos with two models, one model after the other, and compare.
 * @param photos paths.
 * @throws {PhotoUnreadable} and the like; {ModelUnfit}; {Cancelled}
 */
export async function photoDifferences(
  reference: string,
  other: string,
  photos: readonly string[],
  { sizePx = 512, signal }: PhotoDifferenceOptions = {},
): Promise<PhotoDifference[]> {
  const inputs: Float32Array[] = [];
  for (const photo of photos) {
    const size = { widthPx: sizePx, heightPx: sizePx, fit: 'stretch' } as const;
    inputs.push((await modelInput(photo, size, { limits: limits.photo, signal })).tensor);
  }
  const first = await chromaOf(reference, inputs, sizePx, signal);
  const second = await chromaOf(other, inputs, sizePx, signal);
  return photos.map((photo, i) => ({ photo, ...compare(inputs[i]!, first[i]!, second[i]!) }));
}

async function chromaOf(
  model: string,
  inputs: readonly Float32Array[],
  sizePx: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  const session = await InferenceSession.create(model, { enableMemPattern: false });
  try {
    const planes: Float32Array[] = [];
    for (const input of inputs) {
      if (signal?.aborted) throw new Cancelled();
      const tensor = new Tensor('float32', input, [1, 3, sizePx, sizePx]);
      const { output } = await session.run({ input: tensor });
      if (!output) throw new ModelUnfit(model, 'an output named output', 'none');
      planes.push(Float32Array.from(output.data as Float32Array));
    }
    return planes;
  } finally {
    await session.release();
  }
}

/** @param input three equal planes, of which the first is the lightness as sRGB grey. */
function compare(input: Float32Array, first: Float32Array, second: Float32Array) {
  const count = first.length / 2;
  const differences = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const grey = input[i]!;
    const [l] = labFromSrgb(grey, grey, grey);
    const a = [l, first[i]!, first[i + count]!] as const;
    differences[i] = ciede2000(a, [l, second[i]!, second[i + count]!]);
  }
  const mean = differences.reduce((sum, value) => sum + value, 0) / count;
  differences.sort();
  return { mean, p95: differences[Math.floor(0.95 * (count - 1))]!, max: differences[count - 1]! };
}
