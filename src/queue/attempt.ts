import type { StudioError } from '../studio/errors/index.js';
import { BlobsAway, Cancelled, CardPaused } from '../studio/errors/index.js';
import type { Handlers, Job, JobName, NewJob } from '../studio/jobs.js';
import type { ConsumeOptions } from '../studio/ports/queue.js';
import { judge, poisoned, policyFor, type QueuePolicy } from './policy.js';

/** Why a running job's signal was aborted. */
export type StopReason = 'cancel' | 'lost' | 'closing';

/** How long a job rests when blobs could not be reached, about. */
const awayMs = 3_000;

/** A running attempt and the switch that stops it. */
export class Attempt {
  private readonly controller = new AbortController();
  stopped: StopReason | undefined;

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  stop(reason: StopReason): void {
    if (this.stopped) return;
    this.stopped = reason;
    this.controller.abort(new Cancelled());
  }
}

/** What the adapter writes down. `givenBack`, `postponed` and `lost` do not count as attempts. */
export type Outcome =
  | { readonly kind: 'done'; readonly answer?: unknown }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'givenBack' }
  | { readonly kind: 'postponed'; readonly delayMs: number; readonly error: unknown }
  | { readonly kind: 'lost' }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: unknown }
  | { readonly kind: 'dead'; readonly error: StudioError };

/** What a queue knows of a job before it runs. */
export interface AttemptFacts {
  readonly job: NewJob;
  /** Failed attempts before this one. */
  readonly failures: number;
  /** Workers that died with this job. */
  readonly lostWorkers: number;
  /** Since when it could have run; absent after a retry on Redis, where it is not kept. */
  readonly readySinceMs?: number;
}

/**
 * Run one attempt to its end; never rejects. The same rules for every adapter.
 * @param progress 0..1, called as the handler reports it.
 */
export async function runAttempt(
  facts: AttemptFacts,
  handlers: Partial<Handlers>,
  options: ConsumeOptions,
  bounds: QueuePolicy,
  attempt: Attempt,
  progress: (share: number) => void,
): Promise<Outcome> {
  const { job, failures, lostWorkers } = facts;
  const policy = policyFor(job.name, bounds);
  const poison = poisoned(job.name, lostWorkers, policy);
  if (poison) return bury(job, poison, options, failures + 1, policy);
  const handler = handlers[job.name] as ((job: Job) => Promise<void>) | undefined;
  try {
    if (!handler) throw new Error(`no handler for ${job.name}`);
    const said: { answer?: unknown } = {};
    const answer = (value: unknown) => {
      said.answer = value;
    };
    await handler(liveJob(facts, attempt, progress, answer));
    return { kind: 'done', ...said };
  } catch (error) {
    if (attempt.stopped === 'cancel') return { kind: 'cancelled' };
    if (attempt.stopped === 'closing') return { kind: 'givenBack' };
    if (attempt.stopped === 'lost') return { kind: 'lost' };
    // The job is well and so is its worker: it only has to wait, here or elsewhere.
    if (error instanceof CardPaused) return { kind: 'givenBack' };
    // Not the job's fault and no other attempt's business: this box cannot reach the photos.
    if (error instanceof BlobsAway)
      return { kind: 'postponed', delayMs: awayMs * (0.5 + Math.random()), error };
    const verdict = judge(error, failures + 1, policy, Math.random);
    if (verdict.kind === 'retry') return { kind: 'retry', delayMs: verdict.delayMs, error };
    return bury(job, verdict.reason, options, failures + 1, policy);
  }
}

/** Tell whoever waits before setting the job aside; if that fails, keep the job for later. */
async function bury(
  job: NewJob,
  reason: StudioError,
  options: ConsumeOptions,
  failures: number,
  policy: QueuePolicy,
): Promise<Outcome> {
  try {
    await options.onDead?.(job, reason);
    return { kind: 'dead', error: reason };
  } catch (error) {
    const delayMs = Math.min(policy.backoffMaxMs, policy.backoffFirstMs * 2 ** failures);
    return { kind: 'retry', delayMs, error };
  }
}

function liveJob<N extends JobName>(
  { job, failures, lostWorkers, readySinceMs }: AttemptFacts,
  attempt: Attempt,
  progress: (share: number) => void,
  answer: (value: unknown) => void,
): Job<N> {
  return {
    ...(job as NewJob<N>),
    attempt: failures + lostWorkers + 1,
    ...(readySinceMs === undefined ? {} : { readySinceMs }),
    signal: attempt.signal,
    progress: (share) => {
      if (Number.isFinite(share)) progress(Math.min(1, Math.max(0, share)));
    },
    answer,
  };
}
