import type Bull from 'bull';
import type { JobName, NewJob } from '../studio/jobs.js';
import type { JobInfo, JobState } from '../studio/ports/queue.js';
import { cancelledReason, turnSpan } from './bull-scripts.js';

/** What bull keeps as a job's data. */
export interface BullData {
  /** What it asks of a box; see need.ts. Stands first. */
  readonly need?: string;
  readonly payload: unknown;
  readonly group: string;
  readonly priority: number;
  readonly notBeforeMs?: number;
}

/** Rejection that tells bull's backoff strategy what to do: -1 give up, 0 at once, else wait. */
export class Ended extends Error {
  constructor(
    message: string,
    readonly delayMs: number,
  ) {
    super(message);
    // Bull would store it: paths and nothing that helps.
    this.stack = '';
  }
}

/** Bull keeps jobs beside its own keys (`wait`, `delayed`...): a mark keeps the two apart. */
export const idOf = (key: string) => `@${key}`;

/** Our key of bull's id: what `idOf` marked. */
export const keyOf = (id: Bull.JobId) => String(id).slice(1);

/** Bull's job as the studio knows it. */
export function fromBull(name: JobName, job: Bull.Job<BullData>): NewJob {
  const { payload, group, priority, notBeforeMs } = job.data;
  return {
    name,
    key: keyOf(job.id),
    payload: payload as NewJob['payload'],
    group,
    priority,
    ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
  };
}

/** A job's hash, as HGETALL returns it, for operators. */
export function infoOf(key: string, state: string, hash: Readonly<Record<string, string>>) {
  const data = JSON.parse(hash['data'] ?? '{}') as Partial<BullData>;
  const failed = hash['failedReason'] ?? '';
  const cancelled = state === 'dead' && failed.startsWith(cancelledReason);
  const attempts = Number(hash['attemptsMade'] ?? 0) + Number(hash['stalledCounter'] ?? 0);
  const running = state === 'active' || state === 'done' ? 1 : 0;
  const dueMs = Number(hash['timestamp'] ?? 0) + Number(hash['delay'] ?? 0);
  const info: JobInfo = {
    name: hash['name'] as JobName,
    key,
    state: (cancelled ? 'cancelled' : state) as JobState,
    group: data.group ?? '',
    priority: data.priority ?? Math.floor(Number(hash['priority'] ?? 0) / turnSpan),
    attempt: attempts + running,
    addedMs: Number(hash['timestamp'] ?? 0),
    ...(state === 'waiting' || state === 'delayed' ? { nextRunMs: dueMs } : {}),
    ...(failed && state !== 'done' ? { lastError: failed } : {}),
    ...(hash['worker'] ? { worker: hash['worker'] } : {}),
    ...answerOf(hash['returnvalue']),
  };
  return info;
}

/** Bull keeps `null` for nothing. */
function answerOf(kept: string | undefined): { readonly answer?: unknown } {
  const answer: unknown = JSON.parse(kept || 'null');
  return answer === null ? {} : { answer };
}

/** A flat Redis reply as an object. */
export function hashOf(flat: readonly string[]): Record<string, string> {
  const hash: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) hash[flat[i]!] = flat[i + 1]!;
  return hash;
}
