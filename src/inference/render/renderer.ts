import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import sharp from 'sharp';
import type { ChromaPlane } from '../../studio/chroma-plane.js';
import type { RenderOptions, Rendition, RunContext } from '../../studio/ports/colorizer.js';
import { type PhotoLimits, readPhotoHeader } from '../codec/photo-header.js';
import { createScratch } from '../codec/scratch-folder.js';
import { readSrgbProfile } from '../codec/srgb-profile.js';
import { throwIfAborted } from '../codec/translate-error.js';
import { createLabelPainter } from '../label/label-painter.js';
import { abortable } from './abortable.js';
import { checkedOptions } from './render-options.js';
import { planRender } from './render-plan.js';
import { type RenderTools, runRender } from './run-render.js';
import { createThreadPool } from './thread-pool.js';

/** What a renderer takes and uses. */
export interface RendererConfig {
  readonly limits: PhotoLimits;
  /** Threads for the arithmetic; 2 is enough for most machines. */
  readonly threads: number;
  /** For uncompressed rasters, up to 1.4 GB at 100 MP with 16 bit. Default: the system's. */
  readonly tempDir?: string;
}

/** Combines photos with colours, several at a time. */
export interface Renderer {
  /**
   * Colours `file` with a chroma plane and writes `output`, which appears only when complete.
   * The plane may still be on its way: the photo is decoded meanwhile.
   * @throws {PhotoUnreadable | PhotoFormatUnsupported | PhotoTooLarge | PhotoTooSmall |
   * PhotoFileTooLarge | RenderOptionInvalid | DiskUnavailable | Cancelled}
   */
  render(
    file: string,
    chroma: ChromaPlane | Promise<ChromaPlane>,
    output: string,
    options: RenderOptions,
    context?: RunContext,
  ): Promise<Rendition>;
  /** Running renders are cancelled and their files removed. */
  close(): Promise<void>;
}

/** A renderer with threads of its own; `close` ends them. */
export function createRenderer(config: RendererConfig): Renderer {
  const { limits } = config;
  // A raster is read once: libvips' memory of past files would only keep deleted ones on the disk.
  sharp.cache(false);
  const pool = createThreadPool(config.threads);
  const scratch = createScratch(config.tempDir ?? tmpdir());
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  let profile: Promise<Uint8Array> | undefined;
  const tools: RenderTools = {
    pool,
    painter: createLabelPainter(),
    limitPixels: Math.ceil(limits.megapixels * 1e6),
    srgbProfile: () => {
      profile ??= readSrgbProfile();
      return profile;
    },
  };

  return {
    async render(file, chroma, output, options, context = {}) {
      const plane = Promise.resolve(chroma);
      // Whatever ends this call before the plane is needed.
      plane.catch(() => {});
      const values = checkedOptions(options);
      const signals = [closing.signal, ...(context.signal ? [context.signal] : [])];
      const signal = AbortSignal.any(signals);
      throwIfAborted(signal);
      const header = await readPhotoHeader(file, limits);
      const plan = planRender(header, options);
      const folder = await scratch.create();
      const { onProgress } = context;
      const job = { file, header, chroma: plane, output, options, values, plan, folder };
      const work = runRender(tools, job, { signal, onProgress }).finally(() =>
        rm(folder, { recursive: true, force: true }),
      );
      running.add(work);
      work.catch(() => {}).finally(() => running.delete(work));
      const rendition = await abortable(work, signal);
      onProgress?.(1);
      return rendition;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(running);
      await pool.close();
    },
  };
}
