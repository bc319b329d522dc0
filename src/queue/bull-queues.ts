import Bull from 'bull';
import type Redis from 'ioredis';
import { type JobName, jobNames } from '../studio/jobs.js';
import type { JobState } from '../studio/ports/queue.js';
import type { BullConnection } from './bull-connection.js';
import { type BullData, type Ended, keyOf } from './bull-job.js';
import { holdSubscriptions } from './bull-subscriptions.js';
import type { QueuePolicy } from './policy.js';

const statusOf: Record<JobState, Bull.JobStatus> = {
  waiting: 'waiting',
  active: 'active',
  delayed: 'delayed',
  done: 'completed',
  dead: 'failed',
  cancelled: 'failed',
};

/** One bull queue per job name, all on two shared connections. */
export class BullQueues {
  /** Where each name's keys begin, in the order of `jobNames`. */
  readonly prefixes: readonly string[];
  private readonly queues = new Map<JobName, Bull.Queue<BullData>>();

  constructor(
    private readonly connection: BullConnection,
    private readonly prefix: string,
    private readonly policy: QueuePolicy,
  ) {
    this.prefixes = jobNames.map((name) => this.redisKey(name, ''));
  }

  redisKey(name: JobName, what: string): string {
    return `${this.prefix}:${name}:${what}`;
  }

  /** For adding and asking; opened once. */
  of(name: JobName): Bull.Queue<BullData> {
    const known = this.queues.get(name);
    if (known) return known;
    const queue = this.open(name);
    queue.on('error', (error) => this.connection.complain(error));
    this.queues.set(name, queue);
    return queue;
  }

  /** @param blocking gives a consumer's queue the connection on which it waits for jobs. */
  open(name: JobName, blocking?: () => Redis): Bull.Queue<BullData> {
    const { connection } = this;
    const queue = new Bull<BullData>(name, {
      prefix: this.prefix,
      createClient: (type) => {
        if (type === 'client') return connection.client;
        return type === 'subscriber' || !blocking ? connection.subscriber : blocking();
      },
      settings: settingsOf(this.policy),
      skipVersionCheck: true,
    } as Bull.QueueOptions);
    holdSubscriptions(queue, (error) => connection.complain(error));
    return queue;
  }

  /** Keys of jobs in these states, up to twice `limit` of each name: dead and cancelled share a set. */
  async keysIn(states: readonly JobState[], limit: number): Promise<string[]> {
    const statuses = [...new Set(states.map((state) => statusOf[state]))];
    const found = await Promise.all(
      jobNames.map((name) => this.of(name).getJobs(statuses, 0, limit * 2, false)),
    );
    return found
      .flat()
      .filter((job) => job !== null)
      .map((job) => keyOf(job.id));
  }

  async close(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close(true).catch(() => {})));
  }
}

function settingsOf(policy: QueuePolicy): Bull.AdvancedSettings {
  return {
    lockDuration: policy.leaseMs,
    lockRenewTime: Math.floor(policy.leaseMs / 3),
    stalledInterval: Math.max(250, Math.floor(policy.leaseMs / 4)),
    // Bull would fail a job for good at its second stall; our own rule counts lost workers.
    maxStalledCount: 1_000_000,
    guardInterval: 1_000,
    retryProcessDelay: 1_000,
    drainDelay: 5,
    backoffStrategies: { studio: (_attempts, error) => (error as Ended).delayMs ?? 1_000 },
  };
}
