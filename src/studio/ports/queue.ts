import type { StudioError } from '../errors/index.js';
import type { Handlers, JobName, NewJob } from '../jobs.js';

/** Where a job may stand. */
export const jobStates = ['waiting', 'active', 'delayed', 'done', 'dead', 'cancelled'] as const;
/** Where a job stands. */
export type JobState = (typeof jobStates)[number];

export interface JobInfo {
  readonly name: JobName;
  readonly key: string;
  readonly state: JobState;
  readonly group: string;
  readonly priority: number;
  readonly attempt: number;
  readonly addedMs: number;
  readonly nextRunMs?: number;
  /** Error code and English text of the last failure. */
  readonly lastError?: string;
  readonly worker?: string;
  /** What a job that is done answered; absent: nothing. */
  readonly answer?: unknown;
}

export interface PlaceInQueue {
  readonly position: number;
  readonly etaSeconds: number;
  /** Every worker that could take it rests until its card has cooled. */
  readonly waitingFor?: 'card';
}

export interface Consumer {
  /** Takes no new work, waits for running jobs at most `timeoutMs`, then gives leases back. */
  close(timeoutMs: number): Promise<void>;
}

/** What a worker can do and how fast; a fleet's queue shares photos out by it. */
export interface Ability {
  /** Largest model input its memory takes, px. Absent: any. */
  readonly maxSizePx?: number;
  /** Models it could not get: photos that want them go elsewhere. */
  readonly without?: readonly string[];
  /** Measured seconds for one photo at 512 px. Absent: not measured yet. */
  readonly seconds?: number;
}

export interface ConsumeOptions {
  /** Jobs of one name at once. */
  readonly concurrency: number;
  /** Name of this process in timelines and leases, e.g. `box1:4711`. */
  readonly worker: string;
  /** Asked before each lease; false leaves the job to others (hot card, paused intake). */
  readonly ready?: () => boolean;
  /** Asked before each photo is taken. Absent: takes whatever comes first. */
  readonly ability?: () => Ability;
  /**
   * Called before a job is set aside for good (out of attempts, `never`, or it killed its
   * workers), so that whoever waits for it hears. May repeat; while it rejects, the job stays.
   */
  readonly onDead?: (job: NewJob, reason: StudioError) => Promise<void>;
}

/**
 * Work to do, at least once. The database is the truth, the queue a wake-up: whatever a queue
 * loses, the sweeper adds again, and every handler may repeat.
 * Contract (tests/contracts/queue): idempotent add, priority before age, fairness between groups,
 * retry with backoff by the thrown StudioError's `retry`, dead letters kept, cancel of waiting
 * jobs at once and of running ones through `job.signal`, leases of dead workers taken over.
 */
export interface JobQueue {
  add(job: NewJob): Promise<'added' | 'exists'>;
  consume<N extends JobName>(
    names: readonly N[],
    handlers: Pick<Handlers, N>,
    options: ConsumeOptions,
  ): Consumer;
  find(key: string): Promise<JobInfo | undefined>;
  /** Jobs before this one, and a guess from recent durations and live workers. */
  position(key: string): Promise<PlaceInQueue | undefined>;
  /**
   * One look at the whole line: places of running jobs and of the first `limit` due ones of a name,
   * by key. Costs what one `position` costs, however many watch.
   */
  places(name: JobName, limit: number): Promise<ReadonlyMap<string, PlaceInQueue>>;
  list(filter: { states?: readonly JobState[]; limit: number }): Promise<JobInfo[]>;
  counts(): Promise<Record<JobState, number>>;
  /** Dead or cancelled -> waiting, attempts from zero. */
  retry(key: string): Promise<boolean>;
  cancel(key: string): Promise<boolean>;
  /** Progress of running jobs, from any worker. @returns unsubscribe. */
  onProgress(listener: (event: { key: string; name: JobName; share: number }) => void): () => void;
  /** @throws when the queue cannot be reached; /readyz asks. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
