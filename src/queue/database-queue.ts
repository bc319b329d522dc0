import { EventEmitter } from 'node:events';
import { type Kysely, sql } from 'kysely';
import { QueueAway } from '../studio/errors/index.js';
import type { Handlers, JobName, NewJob } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { ConsumeOptions, Consumer, JobQueue, JobState } from '../studio/ports/queue.js';
import { DatabaseConsumer } from './database-consumer.js';
import { DatabaseHousekeeping } from './database-housekeeping.js';
import { Reports } from './database-reports.js';
import { type Dialect, Statements } from './database-statements.js';
import { type QueueTables, toJobInfo } from './database-tables.js';
import { defaultPolicy, type QueuePolicy } from './policy.js';

/** Which SQL is spoken, and how jobs are treated. */
export interface DatabaseQueueConfig extends Partial<QueuePolicy> {
  readonly dialect: Dialect;
  /** How often to look for jobs that other processes added, ms. Default 1000. */
  readonly pollMs?: number;
}

/** What the queue works with; `db` need not wait for the disk. */
export interface DatabaseQueueDeps {
  readonly db: Kysely<QueueTables>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How far a job has come; `share` is 0..1. */
export type Progress = { key: string; name: JobName; share: number };

/**
 * The embedded queue: a table beside the studio's own, consumers in any process that shares the
 * database. The database is not closed with the queue.
 */
export function createDatabaseQueue(
  deps: DatabaseQueueDeps,
  config: DatabaseQueueConfig,
): JobQueue {
  return new DatabaseQueue(deps, { ...defaultPolicy, pollMs: 1_000, ...config });
}

class DatabaseQueue implements JobQueue {
  private readonly statements: Statements;
  private readonly reports: Reports;
  private readonly consumers = new Map<DatabaseConsumer, Work>();
  private readonly events = new EventEmitter<{ progress: [Progress] }>().setMaxListeners(0);
  private readonly housekeeping: DatabaseHousekeeping;

  constructor(
    private readonly deps: DatabaseQueueDeps,
    private readonly policy: QueuePolicy & { dialect: Dialect; pollMs: number },
  ) {
    const { db, clock, logger } = deps;
    this.statements = new Statements(db, policy.dialect);
    this.reports = new Reports(db, policy);
    this.housekeeping = new DatabaseHousekeeping(
      {
        ...{ db, clock, logger, statements: this.statements, reports: this.reports },
        consumers: () => [...this.consumers.values()],
        watched: () => this.events.listenerCount('progress') > 0,
        onProgress: (progress) => this.events.emit('progress', progress),
        onTakenOver: () => this.wakeAll(),
      },
      policy,
    );
  }

  add(job: NewJob): Promise<'added' | 'exists'> {
    return away(async () => {
      const added = await this.statements.insert(job, this.deps.clock.now());
      if (added) this.wakeAll();
      return added ? 'added' : 'exists';
    });
  }

  consume<N extends JobName>(
    names: readonly N[],
    handlers: Pick<Handlers, N>,
    options: ConsumeOptions,
  ): Consumer {
    const { clock, logger } = this.deps;
    const consumer: DatabaseConsumer = new DatabaseConsumer(
      {
        ...{ statements: this.statements, clock, logger },
        onProgress: (key, name, share) => this.events.emit('progress', { key, name, share }),
        onClosed: () => this.consumers.delete(consumer),
      },
      this.policy,
      this.policy,
      names,
      handlers,
      options,
    );
    this.consumers.set(consumer, { names, ...options });
    this.housekeeping.wake();
    return consumer;
  }

  find(key: string) {
    return away(async () => {
      const row = await this.reports.row(key);
      return row && toJobInfo(row, this.deps.clock.now());
    });
  }

  position(key: string) {
    return away(() => this.reports.position(key, this.deps.clock.now()));
  }

  places(name: JobName, limit: number) {
    return away(() => this.reports.places(name, limit, this.deps.clock.now()));
  }

  list(filter: { states?: readonly JobState[]; limit: number }) {
    return away(() => this.reports.list(filter, this.deps.clock.now()));
  }

  counts() {
    return away(() => this.reports.counts(this.deps.clock.now()));
  }

  retry(key: string): Promise<boolean> {
    return away(async () => {
      const done = await this.statements.retry(key, this.deps.clock.now());
      if (done) this.wakeAll();
      return done;
    });
  }

  cancel(key: string): Promise<boolean> {
    return away(async () => {
      const answer = await this.statements.cancel(key, this.deps.clock.now());
      // Elsewhere the next renewal of the lease brings the wish.
      if (answer === 'asked') for (const one of this.consumers.keys()) one.cancelHere(key);
      return answer !== 'no';
    });
  }

  onProgress(listener: (event: Progress) => void): () => void {
    this.events.on('progress', listener);
    this.housekeeping.wake();
    return () => this.events.off('progress', listener);
  }

  ping(): Promise<void> {
    return away(async () => {
      await sql`select 1 from queue_jobs where key = ''`.execute(this.deps.db);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers.keys()].map((consumer) => consumer.close(0)));
    await this.housekeeping.close();
    this.events.removeAllListeners();
  }

  private wakeAll(): void {
    for (const consumer of this.consumers.keys()) consumer.wake();
  }
}

/** What one consumer takes. */
export type Work = ConsumeOptions & { readonly names: readonly JobName[] };

/** Whatever the driver says, for callers it means: the queue cannot be reached. */
async function away<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (cause) {
    throw new QueueAway(cause);
  }
}
