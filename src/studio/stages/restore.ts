import { BlobsAway, Cancelled, CardPaused, StudioError } from '../errors/index.js';
import type {
  Job,
  LookOrder,
  LookResult,
  NewJob,
  RestoreOrder,
  RestoreOutcome,
  TimelineEntry,
} from '../jobs.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports/basics.js';
import type { Blobs } from '../ports/blobs.js';
import type { Colorizer, Prediction, Rendition } from '../ports/colorizer.js';
import type { ChromaCodec, Files, MakeSheet } from '../ports/files.js';
import type { JobQueue } from '../ports/queue.js';
import { predictSmaller } from './predict-smaller.js';

/** All a GPU worker holds: no database, no bot tokens, no payment keys. */
export interface RestoreDeps {
  readonly blobs: Blobs;
  readonly colorizer: Colorizer;
  readonly files: Files;
  readonly planes: ChromaCodec;
  readonly makeSheet: MakeSheet;
  readonly queue: Pick<JobQueue, 'add'>;
  readonly clock: Clock;
}

export interface RestoreStage {
  /** Predict and render previews; the outcome travels in a `deliver` job. */
  run(job: Job<'restore'>): Promise<void>;
  /** The queue gave up on it: say so. */
  gaveUp(job: NewJob<'restore'>, reason: StudioError): Promise<void>;
}

/** @param config.worker name of this process in timelines, e.g. `box1:4711`. */
export function createRestoreStage(deps: RestoreDeps, config: { worker: string }): RestoreStage {
  const { queue } = deps;

  async function report(job: NewJob<'restore'>, outcome: RestoreOutcome): Promise<void> {
    await queue.add({
      name: 'deliver',
      key: `deliver:${job.key}`,
      payload: { photoId: job.payload.photoId, outcome },
      priority: job.priority,
      group: job.group,
    });
  }

  const failed = (job: NewJob<'restore'>, error: StudioError, timeline: TimelineEntry[] = []) => {
    const { code, messageKey, params } = error;
    return report(job, { ok: false, code, messageKey, params, worker: config.worker, timeline });
  };

  return {
    run: async (job) => {
      const run = new RestoreRun(deps, job, config.worker);
      try {
        await report(job, await run.outcome());
      } catch (error) {
        if (error instanceof Cancelled || job.signal.aborted) throw error;
        if (!(error instanceof StudioError)) throw error;
        // Nobody failed: the photo waits, here or with another worker.
        if (error instanceof BlobsAway || error instanceof CardPaused) throw error;
        const last = job.attempt >= limits.studio.restoreAttempts;
        if (error.retry !== 'never' && !last) throw error;
        await failed(job, error, run.timeline);
      }
    },
    gaveUp: (job, reason) => failed(job, reason),
  };
}

type Picture = Pick<Rendition, 'file' | 'widthPx' | 'heightPx'>;

class RestoreRun {
  readonly timeline: TimelineEntry[] = [];
  private readonly order: RestoreOrder;

  constructor(
    private readonly deps: RestoreDeps,
    private readonly job: Job<'restore'>,
    private readonly worker: string,
  ) {
    this.order = job.payload;
  }

  async outcome(): Promise<RestoreOutcome> {
    const { blobs, colorizer, files, makeSheet } = this.deps;
    const { job, order, timeline, worker } = this;
    if (job.attempt > 1) this.note('photo.tryingAgain', { attempt: job.attempt, worker });
    const original = await blobs.localFile(order.originalKey);
    const { widthPx, heightPx } = await colorizer.inspect(original);
    this.note('photo.decoded', { widthPx, heightPx, worker });
    return files.scratch(async (dir) => {
      const looks: LookResult[] = [];
      const previews: Picture[] = [];
      for (const [i, look] of order.looks.entries()) {
        const share = (part: number) => job.progress((i + part) / order.looks.length);
        const { preview, result } = await this.makeLook(look, original, `${dir}/${i}`, share);
        previews.push(preview);
        looks.push(result);
      }
      if (!order.sheet) return { ok: true, widthPx, heightPx, looks, worker, timeline };
      const sheet = `${dir}/sheet.jpg`;
      await makeSheet(previews, sheet, { label: this.label() });
      const sheetKey = (await blobs.putFile('sheet', sheet)).key;
      return { ok: true, widthPx, heightPx, looks, sheetKey, worker, timeline };
    });
  }

  private async makeLook(
    look: LookOrder,
    original: string,
    base: string,
    share: (part: number) => void,
  ): Promise<{ preview: Picture; result: LookResult }> {
    const { blobs, planes, files, colorizer } = this.deps;
    const { signal } = this.job;
    const known = look.chromaKey;
    const prediction = known
      ? undefined
      : await predictSmaller(colorizer, original, look, (event, d) => this.note(event, d), {
          signal,
          onProgress: (part) => share(0.7 * part),
        });
    const chroma =
      prediction?.chroma ?? planes.decode(await files.read(await blobs.localFile(known as string)));
    const chromaKey = known ?? (await blobs.putBytes('chroma', planes.encode(chroma))).key;
    share(0.7);
    const options = this.renderOptions(look);
    const preview = `${base}-preview.jpg`;
    const comparison = `${base}-comparison.jpg`;
    const context = { signal };
    const shown = await colorizer.render(original, chroma, preview, options, context);
    share(0.85);
    const beside = { ...options, layout: 'comparison' } as const;
    const compared = await colorizer.render(original, chroma, comparison, beside, context);
    const { widthPx, heightPx } = shown;
    this.note('photo.rendered', { widthPx, heightPx });
    const previewKey = (await blobs.putFile('preview', shown.file)).key;
    const comparisonKey = (await blobs.putFile('comparison', compared.file)).key;
    share(1);
    const result = {
      ...{ lookId: look.lookId, chromaKey, previewKey, comparisonKey },
      model: prediction?.model ?? look.model,
      inputWidthPx: prediction?.inputWidthPx ?? chroma.widthPx,
      inputHeightPx: prediction?.inputHeightPx ?? chroma.heightPx,
      provider: prediction?.provider ?? 'none',
      seconds: prediction?.seconds ?? 0,
      ...costOf(prediction),
      notes: [...(prediction?.notes ?? []), ...shown.notes],
    };
    // The store may have moved the file: its blob is the same picture.
    return { preview: { file: await blobs.localFile(previewKey), widthPx, heightPx }, result };
  }

  private renderOptions(look: LookOrder) {
    const { preview } = this.order;
    return {
      ...look.finishing,
      format: 'jpeg' as const,
      longEdgePx: preview.longEdgePx,
      watermark: preview.watermark,
      label: this.label(),
    };
  }

  private label() {
    return { ...this.order.label, produceId: this.order.photoId };
  }

  private note(event: string, details: TimelineEntry['details']): void {
    this.timeline.push({ atMs: this.deps.clock.now(), event, details });
  }
}

/** What is known of the card and the energy; jobs carry no empty fields. */
function costOf(
  prediction: Prediction | undefined,
): Pick<LookResult, 'joules' | 'card' | 'cardId'> {
  if (!prediction) return {};
  const { joules, card, cardId } = prediction;
  return {
    ...(joules === undefined ? {} : { joules }),
    ...(card === undefined ? {} : { card }),
    ...(cardId === undefined ? {} : { cardId }),
  };
}
