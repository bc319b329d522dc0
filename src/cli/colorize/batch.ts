import { Cancelled } from '../../studio/errors/index.js';
import type { PhotoDamage, ResultNote } from '../../studio/ports/colorizer.js';
import { CLEAN_UP_MS, type Interrupt } from '../interrupt.js';
import type { PhotoTask } from './outputs.js';

/** What became of one photo. */
export interface PhotoOutcome {
  readonly task: PhotoTask;
  /** `skipped`: done by an earlier run, or a result of ours. `cancelled`: not finished. */
  readonly status: 'done' | 'skipped' | 'failed' | 'cancelled';
  /** Files written, absolute. */
  readonly files: readonly string[];
  readonly seconds: number;
  readonly notes: readonly ResultNote[];
  /** Execution provider, model and its input size; `done` only. */
  readonly prediction?: {
    readonly provider: string;
    readonly model: string;
    readonly inputWidthPx: number;
    readonly inputHeightPx: number;
    /** The network alone, and what it cost the card; absent: not measured. */
    readonly inferenceSeconds: number;
    readonly joules?: number;
    readonly card?: string;
    /** Two cards of a kind have the same name. */
    readonly cardId?: string;
    /** The box of a fleet that did it; absent: this machine. */
    readonly worker?: string;
  };
  /** What the photo's file lacks; absent: nothing that shows. */
  readonly damage?: PhotoDamage;
  readonly error?: unknown;
}

/** How one photo's work is stopped and followed. */
export interface BatchContext {
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
}

/** Colours one photo and says what became of it. */
export type ColourPhoto = (task: PhotoTask, context: BatchContext) => Promise<PhotoOutcome>;

/** Told how a batch goes. */
export interface BatchListener {
  started?(tasks: readonly PhotoTask[]): void;
  /** Share of one photo, 0..1. */
  progress?(task: PhotoTask, share: number): void;
  /** May write down what was done; a rejection ends the batch. */
  finished?(outcome: PhotoOutcome): void | Promise<void>;
  /** Nothing more will come, perhaps before all photos are done. */
  closed?(): void;
}

/**
 * Work through photos, `concurrency` at a time. No photo stops another: whatever a task throws is
 * its outcome. After an abort nothing new begins and what runs is cancelled.
 */
export async function runBatch(
  tasks: readonly PhotoTask[],
  colour: ColourPhoto,
  options: {
    concurrency: number;
    signal: AbortSignal;
    /** Leaves work that an abort does not end; absent: it is waited for. */
    wait?: Interrupt['wait'];
    now: () => number;
    listener: BatchListener;
  },
): Promise<PhotoOutcome[]> {
  const { signal, listener, now, wait = (work) => work } = options;
  const outcomes: PhotoOutcome[] = [];
  const queue = tasks.values();

  async function one(task: PhotoTask): Promise<PhotoOutcome> {
    const startedAt = now();
    const onProgress = (share: number) => listener.progress?.(task, share);
    try {
      if (signal.aborted) throw new Cancelled();
      return await wait(colour(task, { signal, onProgress }), CLEAN_UP_MS);
    } catch (error) {
      const status = error instanceof Cancelled ? 'cancelled' : 'failed';
      const seconds = (now() - startedAt) / 1000;
      return { task, status, error, files: [], seconds, notes: [] };
    }
  }

  async function worker(): Promise<void> {
    for (const task of queue) {
      const outcome = await one(task);
      outcomes.push(outcome);
      await listener.finished?.(outcome);
    }
  }

  listener.started?.(tasks);
  await Promise.all(Array.from({ length: Math.min(options.concurrency, tasks.length) }, worker));
  return outcomes;
}
