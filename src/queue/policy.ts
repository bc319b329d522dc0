import { StudioError, UnexpectedFault, WorkerLost } from '../studio/errors/index.js';
import { type JobName, jobs } from '../studio/jobs.js';

/** A worker unseen for this long is gone, ms. */
export const workerSilenceMs = 30_000;

/** Bounds of both queues. Times in milliseconds. */
export interface QueuePolicy {
  /** A worker that has not renewed for this long has lost its job. */
  readonly leaseMs: number;
  /** Failed attempts before a job is set aside. */
  readonly maxAttempts: number;
  /** Workers that may die with the same job before it is set aside. */
  readonly maxLostWorkers: number;
  /** The same for photos: what takes two boxes of a fleet with it is taken away from the third. */
  readonly maxLostWorkersPerPhoto: number;
  /** Wait before the second attempt; doubles with each further one. */
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  /** Finished jobs stay this long: until then their keys answer `exists`. */
  readonly keepDoneMs: number;
  /** Dead and cancelled jobs stay this long for the operator. */
  readonly keepDeadMs: number;
  /** Guess for the ETA while nothing has been measured. */
  readonly typicalJobMs: number;
}

/** What holds where the settings say nothing. */
export const defaultPolicy: QueuePolicy = {
  leaseMs: 20_000,
  maxAttempts: 8,
  maxLostWorkers: 4,
  maxLostWorkersPerPhoto: 4,
  backoffFirstMs: 1_000,
  backoffMaxMs: 300_000,
  keepDoneMs: 7 * 86_400_000,
  keepDeadMs: 30 * 86_400_000,
  typicalJobMs: 5_000,
};

/** What becomes of a failed attempt. */
export type Verdict =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'dead'; readonly reason: StudioError };

/**
 * What becomes of a job whose attempt failed. `smaller` that reaches the queue means that the
 * stage found no smaller size: like `later`, another card may have room.
 * @param failures failed attempts so far, this one included.
 * @param random 0..1, for jitter: jobs that failed together must not return together.
 */
export function judge(
  error: unknown,
  failures: number,
  policy: QueuePolicy,
  random: () => number,
): Verdict {
  const reason = error instanceof StudioError ? error : new UnexpectedFault(error);
  if (reason.retry === 'never' || failures >= policy.maxAttempts) return { kind: 'dead', reason };
  const ceiling = Math.min(policy.backoffMaxMs, policy.backoffFirstMs * 2 ** (failures - 1));
  const asked = retryAfterMs(reason);
  return { kind: 'retry', delayMs: Math.max(asked, Math.ceil(ceiling * (0.5 + random() / 2))) };
}

/** The bounds with the waits of a job of this name. */
export function policyFor(name: JobName, policy: QueuePolicy): QueuePolicy {
  const { backoff } = jobs[name];
  const { backoffFirstMs, backoffMaxMs } = policy;
  return {
    ...policy,
    backoffFirstMs: backoffFirstMs * backoff,
    backoffMaxMs: backoffMaxMs * backoff,
  };
}

/** Did this job take too many workers with it? @returns the reason to set it aside. */
export function poisoned(
  name: JobName,
  lostWorkers: number,
  policy: QueuePolicy,
): StudioError | undefined {
  return lostWorkers > policy[jobs[name].poison] ? new WorkerLost(lostWorkers) : undefined;
}

/** One line for dead letters: code and English text, no stack. */
export function describe(error: unknown): string {
  const reason = error instanceof StudioError ? error : new UnexpectedFault(error);
  return `${reason.code}: ${reason.message}`.slice(0, 1000);
}

/** Servers that say when to come back (Telegram's 429). */
function retryAfterMs(error: StudioError): number {
  const asked = (error as { retryAfterMs?: unknown }).retryAfterMs;
  return typeof asked === 'number' && asked > 0 ? asked : 0;
}

/** How often a living worker renews its leases, ms. */
export function beatOf({ leaseMs }: Pick<QueuePolicy, 'leaseMs'>): number {
  return Math.min(2_000, Math.ceil(leaseMs / 5));
}
