import { EventEmitter } from 'node:events';
import { type Kysely, sql } from 'kysely';
import { QueueAway } from '../studio/errors/index.js';
import type { JobName } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { ConsumeOptions, JobQueue } from '../studio/ports/queue.js';
import { DatabaseConsumer } from './database-consumer.js';
import { createReports, workerSilenceMs } from './database-reports.js';
import { createStatements, type Dialect } from './database-statements.js';
import { type QueueTables, toJobInfo } from './database-tables.js';
import { defaultPolicy, describe, type QueuePolicy } from './policy.js';
import { Repeater } from './repeater.js';

export interface DatabaseQueueConfig extends Partial<QueuePolicy> {
  readonly dialect: Dialect;
  /** How often to look for jobs that other processes added, ms. Default 1000. */
  readonly pollMs?: number;
}

export interface DatabaseQueueDeps {
  readonly db: Kysely<QueueTables>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Progress = { key: string; name: JobName; share: number };

/**
 * The embedded queue: a table beside the studio's own, consumers in any process that shares the
 * database. The database is not closed with the queue.
 */
export function createDatabaseQueue(
  { db, clock, logger }: DatabaseQueueDeps,
  config: DatabaseQueueConfig,
): JobQueue {
  const policy: QueuePolicy = { ...defaultPolicy, ...config };
  const pollMs = config.pollMs ?? 1_000;
  const statements = createStatements(db, config.dialect);
  const reports = createReports(db, policy);
  const consumers = new Map<DatabaseConsumer, { names: readonly JobName[] } & ConsumeOptions>();
  const events = new EventEmitter<{ progress: [Progress] }>().setMaxListeners(0);
  const seenShares = new Map<string, number>();
  const failed = (error: unknown) => logger.warn('queue.away', { error: describe(error) });

  const wakeAll = () => {
    for (const consumer of consumers.keys()) consumer.wake();
  };

  const housekeeping = new Repeater(() => keepHouse(), pollMs, failed);
  const watcher = new Repeater(() => watchOthers(), pollMs, failed);
  let cleanedMs = 0;

  /** Leases of dead workers, presence of our own, old rows. Runs only where jobs are consumed. */
  async function keepHouse(): Promise<number> {
    const nowMs = clock.now();
    if (consumers.size === 0) return policy.leaseMs;
    const taken = await statements.takeOver(nowMs);
    if (taken > 0) logger.warn('queue.takenOver', { jobs: taken });
    if (taken > 0) wakeAll();
    for (const options of consumers.values()) await announce(options, nowMs);
    if (nowMs - cleanedMs > 600_000) {
      cleanedMs = nowMs;
      await statements.clean(['done'], nowMs - policy.keepDoneMs);
      await statements.clean(['dead', 'cancelled'], nowMs - policy.keepDeadMs);
      await db
        .deleteFrom('queue_workers')
        .where('seen_ms', '<', nowMs - 86_400_000)
        .execute();
    }
    return Math.min(Math.ceil(policy.leaseMs / 4), workerSilenceMs / 3);
  }

  async function announce(options: { names: readonly JobName[] } & ConsumeOptions, nowMs: number) {
    const names = JSON.stringify(options.names);
    const values = { names, concurrency: options.concurrency, seen_ms: nowMs };
    await db
      .insertInto('queue_workers')
      .values({ worker: `${options.worker} ${options.names.join('+')}`, ...values })
      .onConflict((conflict) => conflict.column('worker').doUpdateSet(values))
      .execute();
  }

  /** Progress of jobs that run in other processes comes through the table. */
  async function watchOthers(): Promise<number> {
    if (events.listenerCount('progress') === 0) return pollMs;
    const here = new Set([...consumers.values()].map((c) => c.worker));
    const rows = await reports.activeProgress();
    const keys = new Set(rows.map((r) => r.key));
    for (const key of seenShares.keys()) if (!keys.has(key)) seenShares.delete(key);
    for (const { key, name, progress, worker } of rows) {
      if (here.has(worker ?? '') || seenShares.get(key) === progress) continue;
      seenShares.set(key, progress);
      events.emit('progress', { key, name: name as JobName, share: Number(progress) });
    }
    return pollMs;
  }

  return {
    add: away(async (job) => {
      const added = await statements.insert(job, clock.now());
      if (added) wakeAll();
      return added ? 'added' : 'exists';
    }),

    consume(names, handlers, options) {
      const consumer: DatabaseConsumer = new DatabaseConsumer(
        {
          statements,
          clock,
          logger,
          onProgress: (key, name, share) => events.emit('progress', { key, name, share }),
          onClosed: () => consumers.delete(consumer),
        },
        policy,
        { pollMs },
        names,
        handlers,
        options,
      );
      consumers.set(consumer, { names, ...options });
      housekeeping.wake();
      return consumer;
    },

    find: away(async (key) => {
      const row = await reports.row(key);
      return row && toJobInfo(row, clock.now());
    }),
    position: away((key) => reports.position(key, clock.now())),
    list: away((filter) => reports.list(filter, clock.now())),
    counts: away(() => reports.counts(clock.now())),

    retry: away(async (key) => {
      const done = await statements.retry(key, clock.now());
      if (done) wakeAll();
      return done;
    }),

    cancel: away(async (key) => {
      const answer = await statements.cancel(key, clock.now());
      if (answer === 'asked') for (const consumer of consumers.keys()) consumer.cancelHere(key);
      return answer !== 'no';
    }),

    onProgress(listener) {
      events.on('progress', listener);
      watcher.wake();
      return () => events.off('progress', listener);
    },

    ping: away(async () => {
      await sql`select 1 from queue_jobs where key = ''`.execute(db);
    }),

    async close() {
      await Promise.all([...consumers.keys()].map((consumer) => consumer.close(0)));
      await Promise.all([housekeeping.close(), watcher.close()]);
      events.removeAllListeners();
    },
  };
}

/** Whatever the driver says, for callers it means: the queue cannot be reached. */
function away<A extends unknown[], R>(call: (...args: A) => Promise<R>) {
  return async (...args: A): Promise<R> => {
    try {
      return await call(...args);
    } catch (cause) {
      throw new QueueAway(cause);
    }
  };
}
