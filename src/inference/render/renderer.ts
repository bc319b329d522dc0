import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ChromaPlane } from '../../studio/chroma-plane.js';
import { Cancelled } from '../../studio/errors/index.js';
import type { RenderOptions, Rendition, RunContext } from '../../studio/ports/colorizer.js';
import { writeAtomically } from '../codec/atomic-file.js';
import { decodeSmall, decodeToRaster, shrinkRaster } from '../codec/decode.js';
import { encodeRaster } from '../codec/encode.js';
import { type PhotoHeader, type PhotoLimits, readPhotoHeader } from '../codec/photo-header.js';
import { createRaster } from '../codec/raster.js';
import { readSrgbProfile } from '../codec/srgb-profile.js';
import {
  throwIfAborted,
  translateReadError,
  translateWriteError,
} from '../codec/translate-error.js';
import { aigcLabel, xmpPacket } from '../label/aigc-xmp.js';
import { abortable } from './abortable.js';
import { checkedOptions, type FinishingValues } from './render-options.js';
import { planRender, type RenderPlan } from './render-plan.js';
import type { Prepared } from './strip-job.js';
import { createThreadPool, type ThreadPool } from './thread-pool.js';

export interface RendererConfig {
  readonly limits: PhotoLimits;
  /** Threads for the arithmetic; 2 is enough for most machines. */
  readonly threads: number;
  /** For uncompressed rasters, up to 1.4 GB at 100 MP with 16 bit. Default: the system's. */
  readonly tempDir?: string;
}

export interface Renderer {
  /**
   * Colours `file` with a chroma plane and writes `output`, which appears only when complete.
   * @throws {PhotoUnreadable | PhotoFormatUnsupported | PhotoTooLarge | PhotoTooSmall |
   * PhotoFileTooLarge | RenderOptionInvalid | DiskUnavailable | Cancelled}
   */
  render(
    file: string,
    chroma: ChromaPlane,
    output: string,
    options: RenderOptions,
    context?: RunContext,
  ): Promise<Rendition>;
  /** Waits for nothing: running renders are cancelled. */
  close(): Promise<void>;
}

interface Job {
  readonly file: string;
  readonly header: PhotoHeader;
  readonly chroma: ChromaPlane;
  readonly output: string;
  readonly options: RenderOptions;
  readonly values: FinishingValues;
  readonly plan: RenderPlan;
  /** Private folder of this render, removed at its end. */
  readonly folder: string;
  readonly context: RunContext;
}

export function createRenderer(config: RendererConfig): Renderer {
  const pool = createThreadPool(config.threads);
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  let profile: Promise<Uint8Array> | undefined;
  const srgb = () => {
    profile ??= readSrgbProfile();
    return profile;
  };

  async function render(
    ...[file, chroma, output, options, context = {}]: Parameters<Renderer['render']>
  ) {
    const values = checkedOptions(options);
    throwIfAborted(context.signal);
    const header = await readPhotoHeader(file, config.limits);
    const plan = planRender(header, options);
    const folder = await temporaryFolder(config.tempDir ?? tmpdir());
    const signal = AbortSignal.any([closing.signal, ...(context.signal ? [context.signal] : [])]);
    const job = {
      file,
      header,
      chroma,
      output,
      options,
      values,
      plan,
      folder,
      context: { ...context, signal },
    };
    const work = runJob(job, pool, config.limits, srgb).finally(() =>
      rm(folder, { recursive: true, force: true }),
    );
    running.add(work);
    work.catch(() => {}).finally(() => running.delete(work));
    return abortable(work, signal);
  }

  return {
    render,
    async close() {
      closing.abort();
      await pool.close();
      await Promise.allSettled(running);
    },
  };
}

/** Shares of the progress bar: decoded, coloured, encoded. */
const DECODED = 0.35;
const COLOURED = 0.65;

async function runJob(
  job: Job,
  pool: ThreadPool,
  limits: PhotoLimits,
  srgb: () => Promise<Uint8Array>,
): Promise<Rendition> {
  const { plan, header, context } = job;
  const source = path.join(job.folder, 'photo.v');
  const target = path.join(job.folder, 'result.v');
  const limitPixels = Math.ceil(limits.megapixels * 1e6);
  const decoding = decodeToRaster(job.file, header, source, {
    ...plan.photo,
    limitPixels,
    keepAlpha: plan.keepAlpha,
    bitDepth: header.info.bitDepth,
  });
  const [prepared] = await Promise.all([
    prepareGrid(job, pool, decoding, source, limitPixels),
    decoding,
  ]);
  throwIfAborted(context.signal);
  context.onProgress?.(DECODED);
  await colour(job, pool, prepared, source, target, await srgb());
  throwIfAborted(context.signal);
  const bytes = await writeAtomically(job.output, async (temporary) => {
    await encodeRaster(target, temporary, {
      format: plan.format,
      quality: job.values.quality,
      bitDepth: plan.picture.bitDepth,
      xmp: xmpPacket(aigcLabel(job.options.label)),
    });
    throwIfAborted(context.signal);
  });
  context.onProgress?.(1);
  const { widthPx, heightPx, bitDepth } = plan.picture;
  return {
    file: job.output,
    bytes,
    widthPx,
    heightPx,
    format: plan.format,
    bitDepth,
    notes: plan.notes,
  };
}

/** Guided coefficients; beside the decoding where the photo can be read small for little. */
async function prepareGrid(
  job: Job,
  pool: ThreadPool,
  decoding: Promise<void>,
  source: string,
  limitPixels: number,
): Promise<Prepared> {
  const { widthPx, heightPx } = job.chroma;
  const size = { widthPx, heightPx, limitPixels };
  const cheap = job.header.info.format === 'jpeg';
  const guide = cheap
    ? await decodeSmall(job.file, job.header, size)
    : await decoding.then(() => shrinkRaster(source, job.header.info.bitDepth, size));
  return pool.prepare({
    kind: 'prepare',
    chroma: job.chroma,
    guide,
    adjustment: job.values,
    upsampling: job.options.upsampling ?? 'guided',
    contrast: job.values.contrast,
  });
}

async function colour(
  { plan, values, header, context }: Job,
  pool: ThreadPool,
  { grid, curves }: Prepared,
  source: string,
  target: string,
  iccProfile: Uint8Array,
): Promise<void> {
  const stripRows = 32;
  const strips = Math.ceil(plan.photo.heightPx / stripRows);
  let done = 0;
  const onStrip = () => {
    done++;
    context.onProgress?.(DECODED + ((COLOURED - DECODED) * done) / strips);
  };
  try {
    createRaster(target, plan.picture, { densityDpi: header.info.densityDpi, iccProfile });
    await pool.runStrips(
      {
        kind: 'strips',
        source,
        target,
        grid,
        curves,
        denoise: values.denoise,
        sharpen: values.sharpen,
        dividerPx: plan.dividerPx,
        overlays: [],
        stripRows,
      },
      { signal: context.signal, onStrip },
    );
  } catch (error) {
    if (context.signal?.aborted) throw new Cancelled();
    throw translateWriteError(error, target);
  }
}

async function temporaryFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(path.join(parent, 'huancai-render-'));
  } catch (error) {
    throw translateReadError(error);
  }
}
