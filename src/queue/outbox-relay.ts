import type { Logger } from '../studio/ports/basics.js';
import type { Outbox } from '../studio/ports/outbox.js';
import type { JobQueue } from '../studio/ports/queue.js';
import { describe } from './policy.js';
import { Repeater } from './repeater.js';

/** Hands what was committed to the queue, until it is closed. */
export interface OutboxRelay {
  /** Something was committed: hand it over now. */
  wake(): void;
  /** Finish the batch under way and stop. */
  close(): Promise<void>;
}

/** How often and how much is handed over. */
export interface OutboxRelayConfig {
  /** Look for what other processes committed, or a crash left, this often. Default 1000. */
  readonly pollMs?: number;
  /** Rows at a time. Default 200. */
  readonly batch?: number;
}

/**
 * Hands committed jobs to the queue. Rows are marked after the queue has them, so a crash in
 * between repeats the add, which the natural key makes harmless; the same goes for several
 * processes that relay at once.
 */
export function createOutboxRelay(
  deps: { outbox: Outbox; queue: Pick<JobQueue, 'add'>; logger: Logger },
  config: OutboxRelayConfig = {},
): OutboxRelay {
  const pollMs = config.pollMs ?? 1_000;
  const batch = config.batch ?? 200;

  async function relay(): Promise<number> {
    const rows = await deps.outbox.pending(batch);
    const relayed: string[] = [];
    try {
      for (const { id, job } of rows) {
        await deps.queue.add(job);
        relayed.push(id);
      }
    } finally {
      if (relayed.length > 0) await deps.outbox.markRelayed(relayed);
    }
    return rows.length === batch ? 0 : pollMs;
  }

  const repeater = new Repeater(relay, pollMs, (error) =>
    deps.logger.warn('outbox.stuck', { error: describe(error) }),
  );
  repeater.wake();
  return { wake: () => repeater.wake(), close: () => repeater.close() };
}
