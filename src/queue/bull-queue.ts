import { randomUUID } from 'node:crypto';
import { type Handlers, type JobName, jobNames, type NewJob } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import {
  type ConsumeOptions,
  type Consumer,
  type JobInfo,
  type JobQueue,
  type JobState,
  jobStates,
} from '../studio/ports/queue.js';
import { BullConnection } from './bull-connection.js';
import { BullConsumer } from './bull-consumer.js';
import { hashOf, idOf, infoOf, keyOf } from './bull-job.js';
import { bullPlace, bullPlaces } from './bull-places.js';
import { BullQueues } from './bull-queues.js';
import { BullWorkers } from './bull-workers.js';
import { needOf } from './need.js';
import { defaultPolicy, type QueuePolicy } from './policy.js';

/** Which Redis, and how jobs are treated. */
export interface BullQueueConfig extends Partial<QueuePolicy> {
  /** redis://[:password@]host:port[/db]; `noeviction` and an append-only file are expected. */
  readonly redisUrl: string;
  /** Start of every key. Default `huancai`. */
  readonly prefix?: string;
  /** How long commands wait for the first connection. Default 5000. */
  readonly connectTimeoutMs?: number;
}

/** What the queue works with. */
export interface BullQueueDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A place in the line is no reason to keep a customer waiting longer, ms. */
const lookMs = 500;
/** At most this many dead letters per job name are kept. */
const deadLettersMax = 10_000;

/**
 * The queue of a fleet: bull on Redis (6.2 or newer), one bull queue per job name. What Redis
 * loses, the relay and the sweeper add again from the database.
 */
export function createBullQueue(deps: BullQueueDeps, config: BullQueueConfig): JobQueue {
  return new BullJobQueue(deps, config);
}

class BullJobQueue implements JobQueue {
  private readonly policy: QueuePolicy;
  private readonly connection: BullConnection;
  private readonly queues: BullQueues;
  private readonly workers: BullWorkers;
  private readonly consumers = new Set<BullConsumer>();
  private readonly cancelChannel: string;

  constructor(
    private readonly deps: BullQueueDeps,
    private readonly config: BullQueueConfig,
  ) {
    const prefix = config.prefix ?? 'huancai';
    this.policy = { ...defaultPolicy, ...config };
    this.connection = new BullConnection(config, deps.logger, () => deps.clock.now());
    this.queues = new BullQueues(this.connection, prefix, this.policy);
    this.workers = new BullWorkers(this.connection, prefix, this.policy, deps.clock);
    this.cancelChannel = `${prefix}:cancel`;
    this.listenForCancels();
  }

  add(job: NewJob): Promise<'added' | 'exists'> {
    return this.away(async () => {
      const id = idOf(job.key);
      const of = (what: string) => this.queues.redisKey(job.name, what);
      const { client } = this.connection;
      const turns = of(`turns:${job.priority}`);
      const score = await client.huancaiTurn(
        of('priority'),
        turns,
        of(id),
        job.priority,
        job.group,
      );
      if (score === '') return 'exists';
      const { payload, group, priority, notBeforeMs } = job;
      const need = needOf(job);
      // Bull answers a duplicate like a new job; the stamp tells whose data was stored.
      const stamp = randomUUID();
      // `need` first: the taking script reads it off the beginning.
      const data = { ...(need ? { need } : {}), payload, group, priority, notBeforeMs, stamp };
      await this.queues.of(job.name).add(job.name, data, {
        jobId: id,
        priority: Number(score),
        delay: Math.max(0, (notBeforeMs ?? 0) - this.deps.clock.now()),
        attempts: Number.MAX_SAFE_INTEGER,
        backoff: { type: 'studio' },
        removeOnComplete: { age: Math.ceil(this.policy.keepDoneMs / 1000) },
        removeOnFail: { age: Math.ceil(this.policy.keepDeadMs / 1000), count: deadLettersMax },
        stackTraceLimit: 1,
      });
      const stored = await client.hget(of(id), 'data');
      return stored === null || stored.includes(stamp) ? 'added' : 'exists';
    });
  }

  consume<N extends JobName>(
    names: readonly N[],
    handlers: Pick<Handlers, N>,
    options: ConsumeOptions,
  ): Consumer {
    const consumer: BullConsumer = new BullConsumer(
      {
        ...{ connection: this.connection, ...this.deps },
        fleetKey: `${this.config.prefix ?? 'huancai'}:fleet`,
        openQueue: (name, blocking) => this.queues.open(name, blocking),
        onDuration: (name, ms) => this.workers.recordRun(name, ms),
        onClosed: () => {
          this.consumers.delete(consumer);
          this.workers.leave(consumer);
        },
      },
      this.policy,
      names,
      handlers,
      options,
    );
    this.consumers.add(consumer);
    this.workers.join(consumer);
    return consumer;
  }

  find(key: string): Promise<JobInfo | undefined> {
    return this.away(async () => (await this.inspect(key))?.info);
  }

  position(key: string) {
    return this.away(async () => {
      const job = await this.inspect(key);
      if (!job) return undefined;
      return bullPlace(job, await this.workers.speedOf(job.name), this.deps.clock.now());
    }, lookMs);
  }

  places(name: JobName, limit: number) {
    return this.away(async () => {
      const speed = await this.workers.speedOf(name);
      const prefix = this.queues.redisKey(name, '');
      return bullPlaces(this.connection.client, prefix, limit, speed, this.deps.clock.now());
    }, lookMs);
  }

  list(filter: { states?: readonly JobState[]; limit: number }): Promise<JobInfo[]> {
    return this.away(async () => {
      const wanted = new Set(filter.states ?? jobStates);
      const keys = await this.queues.keysIn([...wanted], filter.limit);
      const infos = await Promise.all(keys.map(async (key) => (await this.inspect(key))?.info));
      return infos
        .filter((info) => info !== undefined)
        .filter((info) => wanted.has(info.state))
        .sort((a, b) => b.addedMs - a.addedMs)
        .slice(0, filter.limit);
    });
  }

  counts(): Promise<Record<JobState, number>> {
    return this.away(async () => {
      const { prefixes } = this.queues;
      const sums = await this.connection.client.huancaiCounts(prefixes.length, ...prefixes);
      const [waiting = 0, active = 0, delayed = 0, done = 0, dead = 0, cancelled = 0] = sums;
      return { waiting, active, delayed, done, dead, cancelled };
    });
  }

  retry(key: string): Promise<boolean> {
    return this.away(async () => {
      const job = await this.inspect(key);
      if (!job) return false;
      const keys = ['wait', 'priority', 'failed', idOf(key)];
      const full = keys.map((what) => this.queues.redisKey(job.name, what));
      return (await this.connection.client.huancaiRetry(...full, idOf(key))) === 1;
    });
  }

  cancel(key: string): Promise<boolean> {
    return this.away(async () => {
      const job = await this.inspect(key);
      if (!job) return false;
      const keys = ['wait', 'delayed', 'priority', 'failed', idOf(key)];
      const full = keys.map((what) => this.queues.redisKey(job.name, what));
      const words = [idOf(key), this.deps.clock.now(), this.cancelChannel];
      return (await this.connection.client.huancaiCancel(...full, ...words)) > 0;
    });
  }

  onProgress(listener: (event: { key: string; name: JobName; share: number }) => void) {
    const stops = jobNames.map((name) => {
      const queue = this.queues.of(name);
      const heard = (id: string, share: number) => listener({ key: keyOf(id), name, share });
      queue.on('global:progress', heard);
      return () => queue.off('global:progress', heard);
    });
    return () => {
      for (const stop of stops) stop();
    };
  }

  ping(): Promise<void> {
    return this.away(async () => void (await this.connection.client.ping()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close(0)));
    this.workers.close();
    await this.queues.close();
    this.connection.close();
  }

  private async inspect(key: string) {
    const { prefixes } = this.queues;
    const { client } = this.connection;
    const reply = await client.huancaiInspect(prefixes.length, ...prefixes, idOf(key));
    if (!reply) return undefined;
    const [index, state, ahead, active, flat] = reply;
    const hash = hashOf(flat);
    const name = jobNames[index - 1]!;
    return { name, state, ahead, active, hash, info: infoOf(key, state, hash) };
  }

  private listenForCancels(): void {
    const { subscriber } = this.connection;
    subscriber.subscribe(this.cancelChannel).catch((error) => this.connection.complain(error));
    subscriber.on('message', (channel: string, id: string) => {
      if (channel !== this.cancelChannel) return;
      for (const consumer of this.consumers) consumer.cancelHere(id);
    });
  }

  private away<R>(call: () => Promise<R>, limitMs?: number): Promise<R> {
    return this.connection.ask(call, limitMs);
  }
}
