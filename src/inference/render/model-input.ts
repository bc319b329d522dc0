import type { ChromaPlane } from '../../studio/chroma-plane.js';
import type { ModelFit, RunContext } from '../../studio/ports/colorizer.js';
import { decodeSmall } from '../codec/decode.js';
import { type PhotoLimits, readPhotoHeader } from '../codec/photo-header.js';
import { throwIfAborted } from '../codec/translate-error.js';
import { lightFromF, srgbFromLinear } from '../color/lab.js';
import { lightnessOf } from './prepare.js';

export interface ModelInputOptions {
  /** The network's input, px. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** `aspect` is `stretch` to a size the caller chose by the photo's shape. */
  readonly fit: ModelFit;
}

export interface ModelInput {
  /** RGB-grey float32 [1, 3, heightPx, widthPx], 0..1: three equal planes. */
  readonly tensor: Float32Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Where the photo lies in the tensor, px; all of it unless letterboxed. */
  readonly content: Area;
}

export interface Area {
  readonly xPx: number;
  readonly yPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * The photo's lightness as the networks expect it: Lab (L, 0, 0) as sRGB.
 * @throws what readPhotoHeader throws, and Cancelled
 */
export async function modelInput(
  file: string,
  options: ModelInputOptions,
  context: { readonly limits: PhotoLimits } & RunContext,
): Promise<ModelInput> {
  throwIfAborted(context.signal);
  const header = await readPhotoHeader(file, context.limits);
  const content = contentArea(header.info, options);
  const limitPixels = Math.ceil(context.limits.megapixels * 1e6);
  const pixels = await decodeSmall(file, header, { ...content, limitPixels });
  throwIfAborted(context.signal);
  const { widthPx, heightPx } = options;
  const tensor = new Float32Array(3 * widthPx * heightPx);
  const f = lightnessOf(pixels);
  for (let y = 0; y < content.heightPx; y++)
    for (let x = 0; x < content.widthPx; x++)
      tensor[(y + content.yPx) * widthPx + x + content.xPx] = srgbFromLinear(
        lightFromF(f[y * content.widthPx + x]!),
      );
  tensor.copyWithin(widthPx * heightPx, 0, widthPx * heightPx);
  tensor.copyWithin(2 * widthPx * heightPx, 0, widthPx * heightPx);
  return { tensor, widthPx, heightPx, content };
}

function contentArea(
  photo: { readonly widthPx: number; readonly heightPx: number },
  { widthPx, heightPx, fit }: ModelInputOptions,
): Area {
  if (fit !== 'letterbox') return { xPx: 0, yPx: 0, widthPx, heightPx };
  const scale = Math.min(widthPx / photo.widthPx, heightPx / photo.heightPx);
  const w = Math.max(1, Math.round(photo.widthPx * scale));
  const h = Math.max(1, Math.round(photo.heightPx * scale));
  return { xPx: (widthPx - w) >> 1, yPx: (heightPx - h) >> 1, widthPx: w, heightPx: h };
}

/** The part of a network's answer that belongs to the photo. @param ab [2, heightPx, widthPx] */
export function cropAnswer(
  ab: Float32Array,
  widthPx: number,
  heightPx: number,
  { xPx, yPx, widthPx: w, heightPx: h }: Area,
): ChromaPlane {
  const out = new Float32Array(2 * w * h);
  for (let plane = 0; plane < 2; plane++)
    for (let y = 0; y < h; y++) {
      const from = plane * widthPx * heightPx + (y + yPx) * widthPx + xPx;
      out.set(ab.subarray(from, from + w), (plane * h + y) * w);
    }
  return { widthPx: w, heightPx: h, ab: out };
}
