import type Bull from 'bull';
import type Redis from 'ioredis';
import { type Handlers, type JobName, jobs, type NewJob } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { ConsumeOptions, Consumer } from '../studio/ports/queue.js';
import { Attempt, type Outcome, runAttempt } from './attempt.js';
import type { BullConnection } from './bull-connection.js';
import { type BullData, Ended, fromBull, keyOf } from './bull-job.js';
import { cancelledReason } from './bull-scripts.js';
import { beginUntilItHolds } from './bull-subscriptions.js';
import { FleetTaker, nameWithoutFail, neverFetchAhead } from './bull-take.js';
import { describe, type QueuePolicy } from './policy.js';

/** What a consumer is given by its queue. */
export interface BullConsumerDeps {
  readonly connection: BullConnection;
  /** A bull queue with a blocking connection of its own: bull binds one handler to each. */
  readonly openQueue: (name: JobName, blocking: () => Redis) => Bull.Queue<BullData>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hash of what all boxes can do. */
  readonly fleetKey: string;
  readonly onDuration: (name: JobName, ms: number) => void;
  readonly onClosed: () => void;
}

/** A worker may be started long before its Redis. */
const patientMs = 7 * 86_400_000;

interface Running {
  readonly job: Bull.Job<BullData>;
  readonly queue: Bull.Queue<BullData>;
  readonly attempt: Attempt;
  readonly ended: Promise<unknown>;
}

/** Bull's own worker loop per name, with our rules around each attempt. */
export class BullConsumer implements Consumer {
  private readonly queues: { queue: Bull.Queue<BullData>; blocking: Redis[] }[] = [];
  private readonly running = new Map<string, Running>();
  private readonly timers: NodeJS.Timeout[] = [];
  /** Chooses photos; absent where a box cannot say what it can do. */
  private taker: FleetTaker | undefined;
  private closing = false;
  private paused = false;

  constructor(
    private readonly deps: BullConsumerDeps,
    private readonly policy: QueuePolicy,
    readonly names: readonly JobName[],
    private readonly handlers: Partial<Handlers>,
    readonly options: ConsumeOptions,
  ) {
    if (options.ready) this.every(200, () => this.obeyReady());
    // Bull renews locks too, but stops for good when one renewal meets a restarting Redis.
    this.every(Math.min(2_000, policy.leaseMs / 5), () => this.renew());
    this.paused = options.ready?.() === false;
    for (const name of names) this.start(name);
  }

  /** Stop the job if it runs here. */
  cancelHere(id: string): void {
    for (const { job, attempt } of this.running.values()) if (job.id === id) attempt.stop('cancel');
  }

  async close(timeoutMs: number): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await Promise.all(this.queues.map(({ queue }) => queue.pause(true, true).catch(() => {})));
    await this.settledWithin(timeoutMs);
    for (const { attempt } of this.running.values()) attempt.stop('closing');
    await this.settledWithin(2_000);
    for (const timer of this.timers) clearInterval(timer);
    this.taker?.close();
    await Promise.all(
      this.queues.map(async ({ queue, blocking }) => {
        // Bull reconnects the blocking client while it closes: ours is the last word.
        await queue.close(true).catch(() => {});
        for (const client of blocking) client.disconnect();
      }),
    );
    this.deps.onClosed();
  }

  private start(name: JobName): void {
    const { connection, logger } = this.deps;
    const blocking: Redis[] = [];
    const queue = this.deps.openQueue(name, () => {
      const client = connection.openBlocking();
      blocking.push(client);
      return client;
    });
    neverFetchAhead(queue);
    nameWithoutFail(queue);
    const { ability } = this.options;
    if (ability && jobs[name].lane === 'photos')
      this.taker = new FleetTaker(this.deps, this.policy, { ...this.options, ability }, queue);
    queue.on('error', (error) => {
      if (!this.closing) connection.complain(error);
    });
    queue.on('stalled', (job: Bull.Job) => logger.warn('queue.takenOver', { key: keyOf(job.id) }));
    this.queues.push({ queue, blocking });
    const begin = async () => {
      await connection.ready(patientMs);
      if (this.closing) return;
      if (this.paused) await queue.pause(true);
      await queue.process('*', this.options.concurrency, (job) => this.run(name, queue, job));
    };
    void beginUntilItHolds(queue, begin, (error) => {
      if (!this.closing) connection.complain(error);
      return this.closing;
    });
  }

  /** Resolves with the answer, which bull keeps; rejects with `Ended`, which bull asks for the delay. */
  private async run(name: JobName, queue: Bull.Queue<BullData>, job: Bull.Job<BullData>) {
    const attempt = new Attempt();
    const notNow = this.closing || this.options.ready?.() === false;
    const startedMs = this.deps.clock.now();
    const work = notNow
      ? Promise.resolve<Outcome>({ kind: 'givenBack' })
      : this.attempt(queue, job, attempt);
    const id = `${name} ${job.id}`;
    this.running.set(id, { job, queue, attempt, ended: work });
    try {
      const outcome = await work;
      // The answer must reach Redis: give a restarting server the time its lock leaves us.
      await this.deps.connection.ready(this.policy.leaseMs / 2).catch(() => {});
      if (outcome.kind === 'done') {
        this.deps.onDuration(name, this.deps.clock.now() - startedMs);
        return outcome.answer;
      }
      throw this.ended(fromBull(name, job), job, outcome);
    } finally {
      this.running.delete(id);
      if (jobs[name].lane === 'photos') this.taker?.release(String(job.id));
    }
  }

  private async attempt(
    queue: Bull.Queue<BullData>,
    job: Bull.Job<BullData>,
    attempt: Attempt,
  ): Promise<Outcome> {
    const { client } = this.deps.connection;
    const key = queue.toKey(String(job.id));
    const [stalled] = await client
      .multi()
      .hget(key, 'stalledCounter')
      .hset(key, 'worker', this.options.worker)
      .exec()
      .then((replies) => (replies ?? []).map((r) => r[1] as string | null))
      .catch(() => [null]);
    const facts = {
      job: fromBull(job.name as JobName, job),
      failures: job.attemptsMade,
      lostWorkers: Number(stalled ?? 0),
      ...(job.attemptsMade > 0 ? {} : { readySinceMs: job.data.notBeforeMs ?? job.timestamp }),
    };
    let told = 0;
    const report = (share: number) => {
      if (share < 1 && this.deps.clock.now() - told < 100) return;
      told = this.deps.clock.now();
      job.progress(share).catch(() => {});
    };
    return runAttempt(facts, this.handlers, this.options, this.policy, attempt, report);
  }

  private ended(job: NewJob, bullJob: Bull.Job, outcome: Outcome): Ended {
    const fields = { job: job.name, key: job.key, outcome: outcome.kind };
    switch (outcome.kind) {
      case 'cancelled':
        return new Ended(`${cancelledReason}: cancelled`, -1);
      case 'dead':
        this.deps.logger.warn('job.failed', { ...fields, error: describe(outcome.error) });
        return new Ended(describe(outcome.error), -1);
      case 'retry':
        this.deps.logger.warn('job.failed', { ...fields, error: describe(outcome.error) });
        return new Ended(describe(outcome.error), Math.max(1, outcome.delayMs));
      case 'postponed':
        this.deps.logger.warn('job.postponed', { ...fields, error: describe(outcome.error) });
        bullJob.attemptsMade -= 1;
        return new Ended(describe(outcome.error), Math.ceil(outcome.delayMs));
      default:
        // Bull counts every rejection; this one was no attempt.
        bullJob.attemptsMade -= 1;
        return new Ended('', this.closing ? 0 : 250);
    }
  }

  private obeyReady(): void {
    const pause = this.options.ready?.() === false;
    if (this.closing || pause === this.paused) return;
    this.paused = pause;
    for (const { queue } of this.queues) {
      const change = pause ? queue.pause(true, true) : queue.resume(true);
      change.catch((error) => this.deps.connection.complain(error));
    }
  }

  private async renew(): Promise<void> {
    const { client } = this.deps.connection;
    for (const { job, queue, attempt } of this.running.values()) {
      if (attempt.stopped === 'lost') continue;
      const key = queue.toKey(String(job.id));
      const { token } = queue as unknown as { token: string };
      const [ours, wanted] = await Promise.all([
        client.huancaiRenew(
          ...[`${key}:lock`, key, queue.toKey('active'), token],
          ...[this.policy.leaseMs, String(job.id)],
        ),
        client.hget(key, 'cancelWanted'),
      ]);
      if (ours === 0) attempt.stop('lost');
      if (wanted) attempt.stop('cancel');
    }
  }

  private async settledWithin(timeoutMs: number): Promise<void> {
    if (this.running.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    const all = Promise.allSettled([...this.running.values()].map((r) => r.ended));
    // Bull writes the outcome after the handler: one more turn of the loop and a round trip.
    const written = all.then(() => new Promise((resolve) => setTimeout(resolve, 50)));
    await Promise.race([written, timeout]);
    clearTimeout(timer);
  }

  private every(ms: number, task: () => void | Promise<void>): void {
    let busy = false;
    const timer = setInterval(async () => {
      if (busy) return;
      busy = true;
      try {
        await task();
      } catch (error) {
        this.deps.connection.complain(error);
      } finally {
        busy = false;
      }
    }, ms);
    timer.unref();
    this.timers.push(timer);
  }
}
