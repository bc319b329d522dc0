import type { JobName } from '../studio/jobs.js';
import type { Clock } from '../studio/ports/basics.js';
import type { BullConnection } from './bull-connection.js';
import type { BullConsumer } from './bull-consumer.js';
import { type Speed, SpeedMemory } from './estimate.js';
import type { QueuePolicy } from './policy.js';
import { workerSilenceMs } from './policy.js';

const recentRuns = 50;

/** Live workers and recent durations in Redis, for ETAs. */
export class BullWorkers {
  private readonly consumers = new Set<BullConsumer>();
  private readonly speeds = new SpeedMemory();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly connection: BullConnection,
    private readonly prefix: string,
    private readonly policy: QueuePolicy,
    private readonly clock: Clock,
  ) {
    this.timer = setInterval(() => this.announce(), workerSilenceMs / 3);
    this.timer.unref();
  }

  join(consumer: BullConsumer): void {
    this.consumers.add(consumer);
    this.connection
      .ready(workerSilenceMs)
      .then(() => this.announce())
      .catch(() => {});
  }

  leave(consumer: BullConsumer): void {
    this.consumers.delete(consumer);
    const members = [memberOf(consumer, true), memberOf(consumer, false)];
    this.connection.client.zrem(this.workersKey, ...members).catch(() => {});
  }

  recordRun(name: JobName, ms: number): void {
    const key = `${this.prefix}:durations:${name}`;
    this.connection.client
      .multi()
      .lpush(key, Math.round(ms))
      .ltrim(key, 0, recentRuns - 1)
      .exec()
      .catch(() => {});
  }

  async speedOf(name: JobName): Promise<Speed> {
    const nowMs = this.clock.now();
    return this.speeds.recall(name, nowMs, () => this.measure(name, nowMs));
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async measure(name: JobName, nowMs: number): Promise<Speed> {
    const [runs, members] = await Promise.all([
      this.connection.client.lrange(`${this.prefix}:durations:${name}`, 0, -1),
      this.connection.client.zrangebyscore(this.workersKey, nowMs - workerSilenceMs, '+inf'),
    ]);
    const totalMs = runs.reduce((sum, ms) => sum + Number(ms), 0);
    const able = members
      .map((member) => JSON.parse(member) as { names: string[]; concurrency: number })
      .filter((worker) => worker.names.includes(name));
    const places = able.reduce((sum, worker) => sum + worker.concurrency, 0);
    return {
      meanMs: runs.length > 0 ? totalMs / runs.length : this.policy.typicalJobMs,
      places,
      resting: able.length > 0 && places === 0,
    };
  }

  private get workersKey(): string {
    return `${this.prefix}:workers`;
  }

  private announce(): void {
    const nowMs = this.clock.now();
    const { client } = this.connection;
    for (const consumer of this.consumers) {
      const ready = consumer.options.ready?.() !== false;
      client
        .multi()
        .zadd(this.workersKey, nowMs, memberOf(consumer, ready))
        .zrem(this.workersKey, memberOf(consumer, !ready))
        .exec()
        .catch(() => {});
    }
    client.zremrangebyscore(this.workersKey, '-inf', nowMs - 86_400_000).catch(() => {});
  }
}

/** A worker that rests is there, and has no place for anybody. */
function memberOf({ names, options }: BullConsumer, ready: boolean): string {
  const { worker, concurrency } = options;
  return JSON.stringify({ worker, names, concurrency: ready ? concurrency : 0 });
}
