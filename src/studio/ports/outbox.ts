import type { NewJob } from '../jobs.js';

/** A job that committed together with the state change that wants it. */
export interface OutboxRow {
  /** Opaque to the relay. */
  readonly id: string;
  readonly job: NewJob;
}

/**
 * The relay's side of the outbox. Rows may be read by several processes at once and read again
 * after a crash between `add` and `markRelayed`: the job's natural key makes the repeat harmless.
 */
export interface Outbox {
  /** Rows not relayed yet, oldest first. */
  pending(limit: number): Promise<readonly OutboxRow[]>;
  /** Unknown and already marked ids are fine. */
  markRelayed(ids: readonly string[]): Promise<void>;
}
