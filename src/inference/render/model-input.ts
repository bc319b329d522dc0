import type { ChromaPlane } from '../../studio/chroma-plane.js';
import type { ModelFit, RunContext } from '../../studio/ports/colorizer.js';
import { decodeSmall, type GreyPixels } from '../codec/decode.js';
import { type PhotoHeader, type PhotoLimits, readPhotoHeader } from '../codec/photo-header.js';
import { throwIfAborted } from '../codec/translate-error.js';
import { F_BLACK, lightFromF, srgbFromLinear } from '../color/lab.js';
import { pointSample } from './point-sample.js';
import { lightnessOf } from './prepare.js';

/** Size and shape of what the network gets. */
export interface ModelInputOptions {
  /** The network's input, px. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** `aspect` is `stretch` to a size the caller chose by the photo's shape. */
  readonly fit: ModelFit;
  /**
   * `area` (default): each sample is the mean of the pixels it stands for; fast, less grain.
   * `reference`: as DDColor's preprocessing, cv2.resize INTER_LINEAR without antialiasing.
   */
  readonly sampling?: 'area' | 'reference';
}

/** Limits and circumstances of reading the photo. */
export interface ModelInputContext extends RunContext {
  readonly limits: PhotoLimits;
  /** The photo's, where it has been read already. */
  readonly header?: PhotoHeader;
  /** For the raster of `reference` sampling. Default: the system's. */
  readonly tempDir?: string;
}

/** What the network gets. */
export interface ModelInput {
  /** RGB-grey float32 [1, 3, heightPx, widthPx], 0..1: three equal planes. */
  readonly tensor: Float32Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Where the photo lies in the tensor, px; all of it unless letterboxed. */
  readonly content: Area;
}

/** A rectangle in pixels from the upper left. */
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
  context: ModelInputContext,
): Promise<ModelInput> {
  throwIfAborted(context.signal);
  const header = context.header ?? (await readPhotoHeader(file, context.limits));
  const content = contentArea(header.info, options);
  const limitPixels = Math.ceil(context.limits.megapixels * 1e6);
  const size = { widthPx: content.widthPx, heightPx: content.heightPx, limitPixels };
  const grey =
    options.sampling === 'reference'
      ? await pointSample(file, header, { ...size, tempDir: context.tempDir })
      : greyOf(await decodeSmall(file, header, size));
  throwIfAborted(context.signal);
  const { widthPx, heightPx } = options;
  const tensor = new Float32Array(3 * widthPx * heightPx);
  for (let y = 0; y < content.heightPx; y++)
    tensor.set(
      grey.subarray(y * content.widthPx, (y + 1) * content.widthPx),
      (y + content.yPx) * widthPx + content.xPx,
    );
  tensor.copyWithin(widthPx * heightPx, 0, widthPx * heightPx);
  tensor.copyWithin(2 * widthPx * heightPx, 0, widthPx * heightPx);
  return { tensor, widthPx, heightPx, content };
}

const GREY_STEPS = 2048;
let greyTable: Float64Array | undefined;

/** f to grey is nearly straight: between 2,048 steps a line is exact to 1e-6. */
function greyOfF(): Float64Array {
  greyTable ??= Float64Array.from({ length: GREY_STEPS + 2 }, (_, i) =>
    srgbFromLinear(lightFromF(F_BLACK + ((1 - F_BLACK) * i) / GREY_STEPS)),
  );
  return greyTable;
}

/** sRGB grey 0..1 of each pixel's lightness. */
function greyOf(pixels: GreyPixels): Float32Array {
  const f = lightnessOf(pixels);
  const table = greyOfF();
  const grey = new Float32Array(f.length);
  for (let k = 0; k < f.length; k++) {
    const share = (f[k]! - F_BLACK) / (1 - F_BLACK);
    const at = Math.min(Math.max(share, 0), 1) * GREY_STEPS;
    const i = at | 0;
    grey[k] = table[i]! + (table[i + 1]! - table[i]!) * (at - i);
  }
  return grey;
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
