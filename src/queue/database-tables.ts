import type { NewJob } from '../studio/jobs.js';
import type { JobInfo, JobState } from '../studio/ports/queue.js';

/** States as stored; `delayed` is `waiting` with a later `run_at_ms`. */
export type StoredState = Exclude<JobState, 'delayed'>;

/** Times are ms since 1970; PostgreSQL may hand 8-byte integers out as text. */
export interface JobRow {
  key: string;
  name: string;
  /** JSON. */
  payload: string;
  /** 1 is most urgent. */
  priority: number;
  /**
   * Start-time fair queueing: a group's n-th waiting job stands in turn n, counted from the turn
   * being served. Order is (priority, turn, added_ms): fifty photos of one customer take fifty
   * turns, somebody else's one photo joins the current turn.
   */
  turn: number;
  customer_group: string;
  state: StoredState;
  run_at_ms: number;
  added_ms: number;
  /** Failed attempts. */
  failures: number;
  /** Leases that ran out. */
  lost_workers: number;
  lease_token: string | null;
  lease_until_ms: number | null;
  worker: string | null;
  cancel_requested: number;
  progress: number;
  started_ms: number | null;
  finished_ms: number | null;
  last_error: string | null;
  /** JSON. */
  answer: string | null;
}

/** Live consumers, for ETAs. */
export interface WorkerRow {
  worker: string;
  /** JSON array of job names. */
  names: string;
  concurrency: number;
  seen_ms: number;
}

/** Tables of the queue, for Kysely. */
export interface QueueTables {
  queue_jobs: JobRow;
  queue_workers: WorkerRow;
}

/** A stored job as its handler gets it. */
export function toNewJob(row: JobRow): NewJob {
  return {
    name: row.name as NewJob['name'],
    key: row.key,
    payload: JSON.parse(row.payload),
    priority: Number(row.priority),
    group: row.customer_group,
    notBeforeMs: Number(row.run_at_ms),
  };
}

/** A stored job as operators see it. */
export function toJobInfo(row: JobRow, nowMs: number): JobInfo {
  const delayed = row.state === 'waiting' && Number(row.run_at_ms) > nowMs;
  const started = row.state === 'waiting' ? 0 : 1;
  return {
    name: row.name as JobInfo['name'],
    key: row.key,
    state: delayed ? 'delayed' : row.state,
    group: row.customer_group,
    priority: Number(row.priority),
    attempt: Number(row.failures) + Number(row.lost_workers) + (row.state === 'dead' ? 0 : started),
    addedMs: Number(row.added_ms),
    ...(row.state === 'waiting' ? { nextRunMs: Number(row.run_at_ms) } : {}),
    ...(row.last_error ? { lastError: row.last_error } : {}),
    ...(row.worker ? { worker: row.worker } : {}),
    ...(row.answer ? { answer: JSON.parse(row.answer) as unknown } : {}),
  };
}
