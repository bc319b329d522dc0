import type { ChromaPlane } from '../chroma-plane.js';
import { BlobsAway, Cancelled, CardPaused, StudioError } from '../errors/index.js';
import type {
  LookOrder,
  LookResult,
  NewRestore,
  PlaneResult,
  PlanesOutcome,
  RestoreFailure,
  RestoreJob,
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
  /**
   * Predict and render previews; the outcome travels in a `deliver` job. Where planes alone are
   * wanted it stays with the job.
   */
  run(job: RestoreJob): Promise<void>;
  /** The queue gave up on it: say so. */
  gaveUp(job: NewRestore, reason: StudioError): Promise<void>;
}

/** @param config.worker name of this process in timelines, e.g. `box1:4711`. */
export function createRestoreStage(deps: RestoreDeps, config: { worker: string }): RestoreStage {
  const { queue } = deps;

  async function report(job: NewRestore, outcome: RestoreOutcome): Promise<void> {
    await queue.add({
      name: 'deliver',
      key: `deliver:${job.key}`,
      payload: { photoId: job.payload.photoId, outcome },
      priority: job.priority,
      group: job.group,
    });
  }

  const failure = (error: StudioError, timeline: readonly TimelineEntry[]): RestoreFailure => {
    const { code, messageKey, params } = error;
    return { ok: false, code, messageKey, params, worker: config.worker, timeline };
  };

  return {
    run: async (job) => {
      const run = new RestoreRun(deps, job, config.worker);
      const { payload } = job;
      try {
        if ('wants' in payload) job.answer(await run.planes());
        else await report(job, await run.outcome(payload));
      } catch (error) {
        if (error instanceof Cancelled || job.signal.aborted) throw error;
        if (!(error instanceof StudioError)) throw error;
        // Nobody failed: the photo waits, here or with another worker.
        if (error instanceof BlobsAway || error instanceof CardPaused) throw error;
        const last = job.attempt >= limits.studio.restoreAttempts;
        if (error.retry !== 'never' && !last) throw error;
        const outcome = failure(error, run.timeline);
        if ('wants' in payload) job.answer(outcome);
        else await report(job, outcome);
      }
    },
    gaveUp: async (job, reason) => {
      // Whoever wants planes looks at the job itself.
      if (!('wants' in job.payload)) await report(job, failure(reason, []));
    },
  };
}

type Picture = Pick<Rendition, 'file' | 'widthPx' | 'heightPx'>;

class RestoreRun {
  readonly timeline: TimelineEntry[] = [];

  constructor(
    private readonly deps: RestoreDeps,
    private readonly job: RestoreJob,
    private readonly worker: string,
  ) {}

  async outcome(order: RestoreOrder): Promise<RestoreOutcome> {
    const { files, makeSheet, blobs } = this.deps;
    const { timeline, worker } = this;
    const { original, widthPx, heightPx } = await this.open();
    return files.scratch(async (dir) => {
      const looks: LookResult[] = [];
      const previews: Picture[] = [];
      for (const [i, look] of order.looks.entries()) {
        const share = this.shareOf(i);
        const { preview, result } = await this.makeLook(
          order,
          look,
          original,
          `${dir}/${i}`,
          share,
        );
        previews.push(preview);
        looks.push(result);
      }
      if (!order.sheet) return { ok: true, widthPx, heightPx, looks, worker, timeline };
      const sheet = `${dir}/sheet.jpg`;
      // Each picture on the sheet shows its own visible label.
      await makeSheet(previews, sheet, { label: { ...labelOf(order), text: undefined } });
      const sheetKey = (await blobs.putFile('sheet', sheet)).key;
      return { ok: true, widthPx, heightPx, looks, sheetKey, worker, timeline };
    });
  }

  async planes(): Promise<PlanesOutcome> {
    const { original } = await this.open();
    const planes: PlaneResult[] = [];
    for (const [i, look] of this.job.payload.looks.entries())
      planes.push((await this.predict(look, original, this.shareOf(i))).result);
    return { ok: true, planes, worker: this.worker };
  }

  private async open() {
    const { blobs, colorizer } = this.deps;
    const { job, worker } = this;
    if (job.attempt > 1) this.note('photo.tryingAgain', { attempt: job.attempt, worker });
    const original = await blobs.localFile(job.payload.originalKey);
    const { widthPx, heightPx } = await colorizer.inspect(original);
    this.note('photo.decoded', { widthPx, heightPx, worker });
    return { original, widthPx, heightPx };
  }

  /** The colours of a look: predicted, or those that are kept. */
  private async predict(
    look: LookOrder,
    original: string,
    share: (part: number) => void,
  ): Promise<{ chroma: ChromaPlane; result: PlaneResult }> {
    const { blobs, planes, files, colorizer } = this.deps;
    const { signal } = this.job;
    const known = look.chromaKey;
    const prediction = known
      ? undefined
      : await predictSmaller(colorizer, original, look, (event, d) => this.note(event, d), {
          signal,
          onProgress: share,
        });
    const chroma =
      prediction?.chroma ?? planes.decode(await files.read(await blobs.localFile(known as string)));
    const chromaKey = known ?? (await blobs.putBytes('chroma', planes.encode(chroma))).key;
    const result = {
      ...{ lookId: look.lookId, chromaKey },
      model: prediction?.model ?? look.model,
      inputWidthPx: prediction?.inputWidthPx ?? chroma.widthPx,
      inputHeightPx: prediction?.inputHeightPx ?? chroma.heightPx,
      provider: prediction?.provider ?? 'none',
      seconds: prediction?.seconds ?? 0,
      ...costOf(prediction),
      notes: prediction?.notes ?? [],
    };
    return { chroma, result };
  }

  private async makeLook(
    order: RestoreOrder,
    look: LookOrder,
    original: string,
    base: string,
    share: (part: number) => void,
  ): Promise<{ preview: Picture; result: LookResult }> {
    const { blobs, colorizer } = this.deps;
    const { chroma, result } = await this.predict(look, original, (part) => share(0.7 * part));
    share(0.7);
    const options = renderOptions(order, look);
    const preview = `${base}-preview.jpg`;
    const comparison = `${base}-comparison.jpg`;
    const context = { signal: this.job.signal };
    const shown = await colorizer.render(original, chroma, preview, options, context);
    share(0.85);
    const beside = { ...options, layout: 'comparison' } as const;
    const compared = await colorizer.render(original, chroma, comparison, beside, context);
    const { widthPx, heightPx } = shown;
    this.note('photo.rendered', { widthPx, heightPx });
    const previewKey = (await blobs.putFile('preview', shown.file)).key;
    const comparisonKey = (await blobs.putFile('comparison', compared.file)).key;
    share(1);
    const notes = [...result.notes, ...shown.notes];
    // The store may have moved the file: its blob is the same picture.
    return {
      preview: { file: await blobs.localFile(previewKey), widthPx, heightPx },
      result: { ...result, previewKey, comparisonKey, notes },
    };
  }

  /** Progress of one look out of several. */
  private shareOf(i: number): (part: number) => void {
    const { looks } = this.job.payload;
    return (part) => this.job.progress((i + part) / looks.length);
  }

  private note(event: string, details: TimelineEntry['details']): void {
    this.timeline.push({ atMs: this.deps.clock.now(), event, details });
  }
}

function renderOptions(order: RestoreOrder, look: LookOrder) {
  const { preview } = order;
  return {
    ...look.finishing,
    format: 'jpeg' as const,
    longEdgePx: preview.longEdgePx,
    watermark: preview.watermark,
    label: labelOf(order),
  };
}

const labelOf = ({ label, photoId }: RestoreOrder) => ({ ...label, produceId: photoId });

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
