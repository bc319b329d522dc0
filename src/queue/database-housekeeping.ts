import type { Kysely } from 'kysely';
import type { JobName } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { ConsumeOptions } from '../studio/ports/queue.js';
import type { Reports } from './database-reports.js';
import type { Statements } from './database-statements.js';
import type { QueueTables } from './database-tables.js';
import { LeaseWatch } from './lease-watch.js';
import { beatOf, describe, type QueuePolicy, workerSilenceMs } from './policy.js';
import { Repeater } from './repeater.js';

interface HousekeepingDeps {
  readonly db: Kysely<QueueTables>;
  readonly statements: Statements;
  readonly reports: Reports;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What runs in this process. */
  readonly consumers: () => readonly (ConsumeOptions & { readonly names: readonly JobName[] })[];
  /** Does anybody listen to progress here? */
  readonly watched: () => boolean;
  readonly onProgress: (event: { key: string; name: JobName; share: number }) => void;
  readonly onTakenOver: () => void;
}

/** Finished rows are looked through this often, ms. */
const cleanMs = 600_000;
const forgottenWorkerMs = 86_400_000;

/** What keeps the queue's tables right beside the jobs themselves. */
export class DatabaseHousekeeping {
  private readonly keeper: Repeater;
  private readonly watcher: Repeater;
  private readonly shares = new Map<string, number>();
  private cleanedMs = 0;
  private readonly watch: LeaseWatch;

  constructor(
    private readonly deps: HousekeepingDeps,
    private readonly policy: QueuePolicy & { readonly pollMs: number },
  ) {
    const failed = (error: unknown) => deps.logger.warn('queue.away', { error: describe(error) });
    this.watch = new LeaseWatch(policy.leaseMs, beatOf(policy), deps.clock.steadyMs);
    this.keeper = new Repeater(() => this.keepHouse(), policy.pollMs, failed);
    this.watcher = new Repeater(() => this.watchOthers(), policy.pollMs, failed);
  }

  wake(): void {
    this.keeper.wake();
    this.watcher.wake();
  }

  async close(): Promise<void> {
    await Promise.all([this.keeper.close(), this.watcher.close()]);
  }

  /** Leases of dead workers, presence of our own, old rows. Only where jobs are consumed. */
  private async keepHouse(): Promise<number> {
    const { statements, clock, logger, consumers } = this.deps;
    const nowMs = clock.now();
    if (consumers().length === 0) return this.policy.leaseMs;
    let taken = 0;
    for (const lease of this.watch.dead(await statements.leases(), nowMs))
      taken += await statements.takeOver(lease, nowMs);
    if (taken > 0) {
      logger.warn('queue.takenOver', { jobs: taken });
      this.deps.onTakenOver();
    }
    await this.announce(nowMs);
    if (nowMs - this.cleanedMs > cleanMs) {
      this.cleanedMs = nowMs;
      await this.clean(nowMs);
    }
    return Math.min(Math.ceil(this.policy.leaseMs / 4), workerSilenceMs / 3);
  }

  private async announce(nowMs: number): Promise<void> {
    for (const { worker, names, concurrency, ready } of this.deps.consumers()) {
      // A worker that rests is there, and has no place for anybody.
      const places = ready?.() === false ? 0 : concurrency;
      const values = { names: JSON.stringify(names), concurrency: places, seen_ms: nowMs };
      await this.deps.db
        .insertInto('queue_workers')
        .values({ worker: `${worker} ${names.join('+')}`, ...values })
        .onConflict((conflict) => conflict.column('worker').doUpdateSet(values))
        .execute();
    }
  }

  private async clean(nowMs: number): Promise<void> {
    const { statements, db } = this.deps;
    await statements.clean(['done'], nowMs - this.policy.keepDoneMs);
    await statements.clean(['dead', 'cancelled'], nowMs - this.policy.keepDeadMs);
    await db
      .deleteFrom('queue_workers')
      .where('seen_ms', '<', nowMs - forgottenWorkerMs)
      .execute();
  }

  /** Progress of jobs that run in other processes comes through the table. */
  private async watchOthers(): Promise<number> {
    const { reports, consumers, watched, onProgress } = this.deps;
    if (!watched()) return this.policy.pollMs;
    const here = new Set(consumers().map(({ worker }) => worker));
    const rows = await reports.activeProgress();
    const keys = new Set(rows.map(({ key }) => key));
    for (const key of this.shares.keys()) if (!keys.has(key)) this.shares.delete(key);
    for (const { key, name, progress, worker } of rows) {
      if (here.has(worker ?? '') || this.shares.get(key) === progress) continue;
      this.shares.set(key, progress);
      onProgress({ key, name: name as JobName, share: Number(progress) });
    }
    return this.policy.pollMs;
  }
}
