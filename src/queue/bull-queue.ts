import Bull from 'bull';
import type Redis from 'ioredis';
import { QueueAway, StudioError } from '../studio/errors/index.js';
import { type JobName, jobNames, type NewJob } from '../studio/jobs.js';
import type { Clock, Logger } from '../studio/ports/basics.js';
import type { JobQueue, JobState } from '../studio/ports/queue.js';
import { BullConnection } from './bull-connection.js';
import { BullConsumer } from './bull-consumer.js';
import { type BullData, type Ended, hashOf, idOf, infoOf, keyOf } from './bull-job.js';
import { BullWorkers } from './bull-workers.js';
import { estimateSeconds, remainingSeconds } from './estimate.js';
import { defaultPolicy, type QueuePolicy } from './policy.js';

export interface BullQueueConfig extends Partial<QueuePolicy> {
  /** redis://[:password@]host:port[/db]; `noeviction` and an append-only file are expected. */
  readonly redisUrl: string;
  /** Start of every key. Default `huancai`. */
  readonly prefix?: string;
  /** How long a first command waits for the server. Default 5000. */
  readonly connectTimeoutMs?: number;
}

/** At most this many dead letters per job name are kept. */
const deadLettersMax = 10_000;

/**
 * The queue of a fleet: bull on Redis (6.2 or newer), one bull queue per job name. What Redis
 * loses, the relay and the sweeper add again from the database.
 */
export function createBullQueue(
  { clock, logger }: { clock: Clock; logger: Logger },
  config: BullQueueConfig,
): JobQueue {
  const policy: QueuePolicy = { ...defaultPolicy, ...config };
  const prefix = config.prefix ?? 'huancai';
  const cancelChannel = `${prefix}:cancel`;
  const connection = new BullConnection(config.redisUrl, logger, () => clock.now());
  const { client } = connection;
  const workers = new BullWorkers(connection, prefix, policy, clock);
  const queues = new Map<JobName, Bull.Queue<BullData>>();
  const consumers = new Set<BullConsumer>();
  const redisKey = (name: JobName, what: string) => `${prefix}:${name}:${what}`;
  const prefixes = jobNames.map((name) => redisKey(name, ''));

  const openQueue = (name: JobName, blocking?: () => Redis): Bull.Queue<BullData> =>
    new Bull<BullData>(name, {
      prefix,
      createClient: (type) => {
        if (type === 'client') return client;
        return type === 'subscriber' || !blocking ? connection.subscriber : blocking();
      },
      settings: bullSettings(policy),
      skipVersionCheck: true,
    } as Bull.QueueOptions);

  const queueOf = (name: JobName): Bull.Queue<BullData> => {
    const known = queues.get(name);
    if (known) return known;
    const queue = openQueue(name);
    queue.on('error', (error) => connection.complain(error));
    queues.set(name, queue);
    return queue;
  };

  connection.subscriber.subscribe(cancelChannel).catch((error) => connection.complain(error));
  connection.subscriber.on('message', (channel: string, id: string) => {
    if (channel === cancelChannel) for (const consumer of consumers) consumer.cancelHere(id);
  });

  /** Wait for the server, and let callers see `QueueAway` whatever the driver says. */
  function away<A extends unknown[], R>(call: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      try {
        await connection.ready(config.connectTimeoutMs ?? 5_000);
        return await call(...args);
      } catch (cause) {
        throw cause instanceof StudioError ? cause : new QueueAway(cause);
      }
    };
  }

  async function add(job: NewJob): Promise<'added' | 'exists'> {
    const score = await client.huancaiTurn(
      redisKey(job.name, 'priority'),
      redisKey(job.name, `turns:${job.priority}`),
      redisKey(job.name, idOf(job.key)),
      job.priority,
      job.group,
    );
    if (score === '') return 'exists';
    const { payload, group, priority, notBeforeMs } = job;
    // Bull answers a duplicate like a new job; the stamp tells whose data was stored.
    const stamp = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    const data = { payload, group, priority, notBeforeMs, stamp };
    await queueOf(job.name).add(job.name, data, {
      jobId: idOf(job.key),
      priority: Number(score),
      delay: Math.max(0, (notBeforeMs ?? 0) - clock.now()),
      attempts: 1_000_000,
      backoff: { type: 'studio' },
      removeOnComplete: { age: Math.ceil(policy.keepDoneMs / 1000) },
      removeOnFail: { age: Math.ceil(policy.keepDeadMs / 1000), count: deadLettersMax },
      stackTraceLimit: 1,
    });
    const stored = await client.hget(redisKey(job.name, idOf(job.key)), 'data');
    return stored === null || stored.includes(stamp) ? 'added' : 'exists';
  }

  async function inspect(key: string) {
    const reply = await client.huancaiInspect(prefixes.length, ...prefixes, idOf(key));
    if (!reply) return undefined;
    const [index, state, ahead, active, flat] = reply;
    const hash = hashOf(flat);
    return {
      name: jobNames[index - 1]!,
      state,
      ahead,
      active,
      hash,
      info: infoOf(key, state, hash),
    };
  }

  return {
    add: away(add),

    consume(names, handlers, options) {
      const consumer: BullConsumer = new BullConsumer(
        {
          connection,
          openQueue,
          clock,
          logger,
          onDuration: (name, ms) => workers.recordRun(name, ms),
          onClosed: () => {
            consumers.delete(consumer);
            workers.leave(consumer);
          },
        },
        policy,
        names,
        handlers,
        options,
      );
      consumers.add(consumer);
      workers.join(consumer);
      return consumer;
    },

    find: away(async (key) => (await inspect(key))?.info),

    position: away(async (key) => {
      const job = await inspect(key);
      if (!job || !['waiting', 'delayed', 'active'].includes(job.state)) return undefined;
      const speed = await workers.speedOf(job.name);
      if (job.state === 'active') {
        const runMs = clock.now() - Number(job.hash['processedOn'] ?? clock.now());
        const share = Number(job.hash['progress'] ?? 0);
        return { position: 0, etaSeconds: remainingSeconds(runMs, share, speed) };
      }
      const etaSeconds = estimateSeconds(job.ahead, job.active, speed);
      const waitMs = job.state === 'delayed' ? (job.info.nextRunMs ?? 0) - clock.now() : 0;
      return { position: job.ahead, etaSeconds: Math.max(etaSeconds, Math.ceil(waitMs / 1000)) };
    }),

    list: away(async ({ states, limit }) => {
      const wanted = new Set<JobState>(
        states ?? ['waiting', 'active', 'delayed', 'done', 'dead', 'cancelled'],
      );
      const sets = [...wanted].map((s) => bullSet[s]);
      const found = await Promise.all(
        jobNames.map((name) => queueOf(name).getJobs([...new Set(sets)], 0, limit * 2, false)),
      );
      const keys = found
        .flat()
        .filter((job) => job !== null)
        .map((job) => keyOf(job.id));
      const infos = await Promise.all(keys.map(async (key) => (await inspect(key))?.info));
      return infos
        .filter((info) => info !== undefined && wanted.has(info.state))
        .sort((a, b) => b!.addedMs - a!.addedMs)
        .slice(0, limit) as NonNullable<(typeof infos)[number]>[];
    }),

    counts: away(async () => {
      const sums = await client.huancaiCounts(prefixes.length, ...prefixes);
      const [waiting, active, delayed, done, dead, cancelled] = sums as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return { waiting, active, delayed, done, dead, cancelled };
    }),

    retry: away(async (key) => {
      const job = await inspect(key);
      if (!job) return false;
      const of = (what: string) => redisKey(job.name, what);
      return (
        (await client.huancaiRetry(
          of('wait'),
          of('priority'),
          of('failed'),
          of(idOf(key)),
          idOf(key),
        )) === 1
      );
    }),

    cancel: away(async (key) => {
      const job = await inspect(key);
      if (!job) return false;
      const of = (what: string) => redisKey(job.name, what);
      const keys = ['wait', 'delayed', 'priority', 'failed', idOf(key)].map(of);
      return (await client.huancaiCancel(...keys, idOf(key), clock.now(), cancelChannel)) > 0;
    }),

    onProgress(listener) {
      const stops = jobNames.map((name) => {
        const queue = queueOf(name);
        const heard = (id: string, share: number) => listener({ key: keyOf(id), name, share });
        queue.on('global:progress', heard);
        return () => queue.off('global:progress', heard);
      });
      return () => {
        for (const stop of stops) stop();
      };
    },

    ping: away(async () => void (await client.ping())),

    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close(0)));
      workers.close();
      await Promise.all([...queues.values()].map((queue) => queue.close(true).catch(() => {})));
      connection.close();
    },
  };
}

const bullSet: Record<JobState, Bull.JobStatus> = {
  waiting: 'waiting',
  active: 'active',
  delayed: 'delayed',
  done: 'completed',
  dead: 'failed',
  cancelled: 'failed',
};

function bullSettings(policy: QueuePolicy): Bull.AdvancedSettings {
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
