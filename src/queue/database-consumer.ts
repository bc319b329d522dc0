import { randomUUID } from 'node:crypto';
import type { Handlers, JobName } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { ConsumeOptions, Consumer } from '../studio/ports/queue.js';
import { Attempt, type Outcome, runAttempt } from './attempt.js';
import type { FinishChange, Statements } from './database-statements.js';
import { type JobRow, toNewJob } from './database-tables.js';
import { beatOf, describe, type QueuePolicy } from './policy.js';
import { Repeater } from './repeater.js';

/** What a consumer is given by its queue. */
export interface ConsumerDeps {
  readonly statements: Statements;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Progress of a job that runs here. */
  readonly onProgress: (key: string, name: JobName, share: number) => void;
  readonly onClosed: () => void;
}

/** How often a consumer looks. */
export interface ConsumerTimes {
  /** Look for jobs that other processes added, at least this often, ms. */
  readonly pollMs: number;
}

interface Running {
  readonly row: JobRow;
  readonly attempt: Attempt;
  readonly ended: Promise<void>;
  progress: number;
  saved: number;
}

/** Takes jobs out of the table and runs them. One per `consume` call. */
export class DatabaseConsumer implements Consumer {
  private readonly running = new Map<string, Running>();
  private readonly pump: Repeater;
  private readonly heartbeat: Repeater;
  private closing = false;

  constructor(
    private readonly deps: ConsumerDeps,
    private readonly policy: QueuePolicy,
    private readonly times: ConsumerTimes,
    private readonly names: readonly JobName[],
    private readonly handlers: Partial<Handlers>,
    private readonly options: ConsumeOptions,
  ) {
    const failed = (error: unknown) => deps.logger.warn('queue.away', { error: describe(error) });
    this.pump = new Repeater(() => this.takeJobs(), times.pollMs, failed);
    // Five renewals in a lease, and soon enough for a cancel from another process.
    const beatMs = beatOf(policy);
    this.heartbeat = new Repeater(() => this.renew(beatMs), beatMs, failed);
    this.pump.wake();
    this.heartbeat.wake();
  }

  /** Something was added or became free: look now. */
  wake(): void {
    if (!this.closing) this.pump.wake();
  }

  /** @returns whether the job runs here. */
  cancelHere(key: string): boolean {
    for (const { row, attempt } of this.running.values()) {
      if (row.key !== key) continue;
      attempt.stop('cancel');
      return true;
    }
    return false;
  }

  async close(timeoutMs: number): Promise<void> {
    this.closing = true;
    await this.pump.close();
    await settledWithin([...this.running.values()], timeoutMs);
    for (const { attempt } of this.running.values()) attempt.stop('closing');
    await settledWithin([...this.running.values()], 2_000);
    await this.heartbeat.close();
    // A handler that ignores its signal: its lease goes back, its late answer finds no token.
    for (const token of [...this.running.keys()])
      await this.deps.statements.finish(token, { state: 'waiting' }).catch(() => false);
    this.running.clear();
    this.deps.onClosed();
  }

  /** Fill the free places. @returns ms until the next look. */
  private async takeJobs(): Promise<number> {
    const { statements, clock } = this.deps;
    for (;;) {
      const names = this.namesWithRoom();
      if (names.length === 0) return this.times.pollMs;
      const due = await statements.nextDueMs(names, clock.now());
      const waitMs = due === undefined ? this.times.pollMs : due - clock.now();
      if (waitMs > 0) return Math.min(this.times.pollMs, waitMs);
      if (this.closing) return this.times.pollMs;
      const token = randomUUID();
      const untilMs = clock.now() + this.policy.leaseMs;
      const holder = { token, worker: this.options.worker, untilMs };
      const row = await statements.lease(names, holder, clock.now());
      if (row) this.start(token, row);
    }
  }

  private namesWithRoom(): JobName[] {
    if (this.closing || this.options.ready?.() === false) return [];
    const busy = [...this.running.values()].map((r) => r.row.name);
    return this.names.filter(
      (name) => busy.filter((b) => b === name).length < this.options.concurrency,
    );
  }

  private start(token: string, row: JobRow): void {
    const attempt = new Attempt();
    const facts = {
      job: toNewJob(row),
      failures: Number(row.failures),
      lostWorkers: Number(row.lost_workers),
      readySinceMs: Number(row.run_at_ms),
    };
    const report = (share: number) => {
      const entry = this.running.get(token);
      if (!entry) return;
      entry.progress = share;
      this.deps.onProgress(row.key, facts.job.name, share);
    };
    const ended = Promise.resolve()
      .then(() => runAttempt(facts, this.handlers, this.options, this.policy, attempt, report))
      .then((outcome) => this.finish(token, row, outcome))
      .finally(() => {
        this.running.delete(token);
        this.wake();
      });
    this.running.set(token, { row, attempt, ended, progress: 0, saved: 0 });
  }

  private async finish(token: string, row: JobRow, outcome: Outcome): Promise<void> {
    const { statements, clock, logger } = this.deps;
    const fields = { job: row.name, key: row.key, outcome: outcome.kind };
    if (outcome.kind === 'lost') return logger.warn('job.lost', fields);
    const change = changeFor(outcome, clock.now());
    if (change.last_error) logger.warn('job.failed', { ...fields, error: change.last_error });
    // The lease outlives a short absence of the database; after that another worker repeats.
    for (let tries = 1; tries <= 5; tries++) {
      try {
        if (!(await statements.finish(token, change))) logger.warn('job.lost', fields);
        return;
      } catch (error) {
        logger.warn('queue.away', { error: describe(error), tries });
        await new Promise((resolve) => setTimeout(resolve, 200 * tries));
      }
    }
  }

  private async renew(beatMs: number): Promise<number> {
    const { statements, clock } = this.deps;
    const tokens = [...this.running.keys()];
    if (tokens.length === 0) return beatMs;
    const rows = await statements.renew(tokens, clock.now() + this.policy.leaseMs);
    const ours = new Map(rows.map((r) => [r.lease_token, r]));
    for (const token of tokens) {
      const entry = this.running.get(token);
      if (!entry) continue;
      const row = ours.get(token);
      if (!row) entry.attempt.stop('lost');
      else if (Number(row.cancel_requested) === 1) entry.attempt.stop('cancel');
      if (entry.progress === entry.saved) continue;
      entry.saved = entry.progress;
      await statements.saveProgress(token, entry.progress);
    }
    return beatMs;
  }
}

function changeFor(outcome: Outcome, nowMs: number): FinishChange {
  switch (outcome.kind) {
    case 'done':
      return {
        state: 'done',
        finished_ms: nowMs,
        last_error: null,
        ...(outcome.answer === undefined ? {} : { answer: JSON.stringify(outcome.answer) }),
      };
    case 'cancelled':
      return { state: 'cancelled', finished_ms: nowMs };
    case 'dead':
      return {
        state: 'dead',
        finished_ms: nowMs,
        last_error: describe(outcome.error),
        failed: true,
      };
    case 'retry':
      return {
        state: 'waiting',
        run_at_ms: nowMs + outcome.delayMs,
        last_error: describe(outcome.error),
        failed: true,
      };
    case 'postponed':
      return {
        state: 'waiting',
        run_at_ms: Math.ceil(nowMs + outcome.delayMs),
        last_error: describe(outcome.error),
      };
    default:
      return { state: 'waiting' };
  }
}

async function settledWithin(running: readonly Running[], timeoutMs: number): Promise<void> {
  if (running.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([Promise.allSettled(running.map((r) => r.ended)), timeout]);
  clearTimeout(timer);
}
