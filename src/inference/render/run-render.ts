import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ChromaPlane } from '../../studio/chroma-plane.js';
import { Cancelled } from '../../studio/errors/index.js';
import type { RenderOptions, Rendition, RunContext } from '../../studio/ports/colorizer.js';
import { writeAtomically } from '../codec/atomic-file.js';
import { decodeSmall, decodeToRaster, shrinkRaster } from '../codec/decode.js';
import { encodeRaster } from '../codec/encode.js';
import type { PhotoHeader } from '../codec/photo-header.js';
import type { RasterLayout } from '../codec/raster.js';
import type { Resolution } from '../codec/resolution.js';
import { createTiffRaster } from '../codec/tiff-raster.js';
import { throwIfAborted, translateWriteError } from '../codec/translate-error.js';
import { aigcLabel, xmpPacket } from '../label/aigc-xmp.js';
import type { LabelPainter } from '../label/label-painter.js';
import type { Overlay } from '../label/overlay.js';
import { lostItsColour } from './grey-result.js';
import type { FinishingValues } from './render-options.js';
import type { RenderPlan } from './render-plan.js';
import type { Prepared } from './strip-job.js';
import type { ThreadPool } from './thread-pool.js';

/** What all renders share. */
export interface RenderTools {
  readonly pool: ThreadPool;
  readonly painter: LabelPainter;
  readonly limitPixels: number;
  readonly srgbProfile: () => Promise<Uint8Array>;
}

/** One render with everything that was decided before it. */
export interface RenderJob {
  readonly file: string;
  readonly header: PhotoHeader;
  readonly chroma: Promise<ChromaPlane>;
  readonly output: string;
  readonly options: RenderOptions;
  readonly values: FinishingValues;
  readonly plan: RenderPlan;
  /** Private folder of this render; the caller removes it. */
  readonly folder: string;
}

/** Shares of the progress bar: decoded, coloured; the rest is encoding, the caller says 1. */
const DECODED = 0.35;
const COLOURED = 0.65;
const STRIP_ROWS = 32;

/** Photo -> raster file -> coloured raster file -> picture. */
export async function runRender(
  tools: RenderTools,
  job: RenderJob,
  context: RunContext,
): Promise<Rendition> {
  const source = path.join(job.folder, 'photo.v');
  const target = path.join(job.folder, 'result.tiff');
  const { plan, options } = job;
  const { overlays, notes: labelNotes } = await tools.painter.paint(
    { label: options.label.text, watermark: options.watermark },
    plan.picture,
  );
  const prepared = await decodeAndPrepare(tools, job, source);
  throwIfAborted(context.signal);
  context.onProgress?.(DECODED);
  const iccProfile = await tools.srgbProfile();
  const parts = {
    ...{ source, target, prepared, overlays, iccProfile },
    resolution: resolutionOf(job),
  };
  const layout = await colour(tools.pool, job, parts, context);
  throwIfAborted(context.signal);
  const { widthPx, heightPx, bitDepth } = plan.picture;
  const bytes = await writeAtomically(job.output, async (temporary) => {
    await encodeRaster(target, temporary, {
      format: plan.format,
      quality: job.values.quality,
      bitDepth,
      resolution: resolutionOf(job),
      profileFile: await writeProfile(job),
      xmp: xmpPacket(aigcLabel(options.label)),
    });
    throwIfAborted(context.signal);
  });
  const { format } = plan;
  const fromPx = plan.dividerPx > 0 ? plan.photo.widthPx + plan.dividerPx : 0;
  const lost = job.values.strength > 0 && lostItsColour(target, layout, await job.chroma, fromPx);
  const notes = [
    ...[...plan.notes, ...labelNotes],
    ...(lost ? [{ key: 'photo.note.noRoomForColour' }] : []),
  ];
  return { file: job.output, bytes, widthPx, heightPx, format, bitDepth, notes };
}

/** Of the photo; as many dots of a smaller picture would still be an inch. */
function resolutionOf({ header }: RenderJob): Resolution | undefined {
  const { densityDpi: x, densityDownDpi: y = x } = header.info;
  return x === undefined || y === undefined ? undefined : { x, y };
}

/** Previews are for screens and messengers, which take everything for sRGB. */
async function writeProfile({ header, options, folder }: RenderJob): Promise<string | undefined> {
  const { workingProfile } = header;
  if (workingProfile === undefined || options.longEdgePx !== undefined) return undefined;
  const file = path.join(folder, 'profile.icc');
  await writeFile(file, workingProfile);
  return file;
}

/** The guided coefficients are made beside the decoding where a small copy costs little. */
async function decodeAndPrepare(
  { pool, limitPixels }: RenderTools,
  job: RenderJob,
  source: string,
): Promise<Prepared> {
  const { header, plan, chroma, values } = job;
  const { bitDepth, format } = header.info;
  const decoding = decodeToRaster(job.file, header, source, {
    ...plan.photo,
    limitPixels,
    keepAlpha: plan.keepAlpha,
    bitDepth,
  });
  const preparing = chroma.then(async (whole) => {
    const plane = withoutEmptyRows(whole, header);
    const size = { widthPx: plane.widthPx, heightPx: plane.heightPx, limitPixels };
    // JPEG scales while it decodes; every other format would be decoded whole a second time.
    const guide =
      format === 'jpeg'
        ? await decodeSmall(job.file, header, size)
        : await decoding.then(() => shrinkRaster(source, bitDepth, size));
    return pool.prepare({
      kind: 'prepare',
      chroma: plane,
      guide,
      adjustment: values,
      upsampling: job.options.upsampling ?? 'guided',
      contrast: values.contrast,
    });
  });
  // Both must have ended before the folder may go, whichever fails first.
  const [prepared, decoded] = await Promise.allSettled([preparing, decoding]);
  if (decoded.status === 'rejected') throw decoded.reason;
  if (prepared.status === 'rejected') throw prepared.reason;
  return prepared.value;
}

/** Where a damaged file ends there is nothing that could have a colour. */
function withoutEmptyRows(plane: ChromaPlane, { damaged }: PhotoHeader): ChromaPlane {
  if (!damaged || damaged.emptyFrom >= 1) return plane;
  const { widthPx, heightPx } = plane;
  const from = Math.floor(damaged.emptyFrom * heightPx) * widthPx;
  const count = widthPx * heightPx;
  const ab = plane.ab.slice();
  ab.fill(0, from, count).fill(0, count + from, 2 * count);
  return { ...plane, ab };
}

interface Colouring {
  readonly source: string;
  readonly target: string;
  readonly prepared: Prepared;
  readonly overlays: readonly Overlay[];
  readonly iccProfile: Uint8Array;
  readonly resolution: Resolution | undefined;
}

async function colour(
  pool: ThreadPool,
  { plan, values, output }: RenderJob,
  { source, target, prepared, overlays, iccProfile, resolution }: Colouring,
  { signal, onProgress }: RunContext,
): Promise<RasterLayout> {
  const strips = Math.ceil(plan.photo.heightPx / STRIP_ROWS);
  let done = 0;
  const onStrip = () => {
    done++;
    onProgress?.(DECODED + ((COLOURED - DECODED) * done) / strips);
  };
  try {
    const targetLayout = createTiffRaster(target, plan.picture, iccProfile, resolution);
    await pool.runStrips(
      {
        kind: 'strips',
        source,
        target,
        targetLayout,
        ...prepared,
        denoise: values.denoise,
        sharpen: values.sharpen,
        dividerPx: plan.dividerPx,
        overlays,
        stripRows: STRIP_ROWS,
      },
      { signal, onStrip },
    );
    return targetLayout;
  } catch (error) {
    if (signal?.aborted) throw new Cancelled();
    throw translateWriteError(error, output);
  }
}
