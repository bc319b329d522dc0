import Redis, { type RedisOptions } from 'ioredis';
import { QueueAway } from '../studio/errors/index.js';
import type { Logger } from '../studio/ports/basics.js';
import { type BullCommands, bullScripts } from './bull-scripts.js';
import { fleetScripts } from './fleet-scripts.js';

/** A Redis client with bull's scripts defined on it. */
export type QueueClient = Redis & BullCommands;

/** The two connections all bull queues of a process share. */
export class BullConnection {
  readonly client: QueueClient;
  readonly subscriber: Redis;
  /** Once met, a server that is away is away: callers need not wait for it as at the start. */
  met = false;
  private quietUntilMs = 0;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {
    // Without the offline queue a command fails at once while Redis is away instead of hanging.
    this.client = this.open({ enableOfflineQueue: false }) as QueueClient;
    for (const [name, { keys, lua }] of Object.entries({ ...bullScripts, ...fleetScripts }))
      this.client.defineCommand(name, keys === undefined ? { lua } : { numberOfKeys: keys, lua });
    this.subscriber = this.openBlocking();
    this.client.once('ready', () => {
      this.met = true;
      void this.warnOfForgetfulness();
    });
  }

  /** For brpoplpush and subscriptions: waits for Redis as long as it takes. */
  openBlocking(): Redis {
    return this.open({ maxRetriesPerRequest: null, enableReadyCheck: false });
  }

  /** Wait for the server, at most `timeoutMs`. @throws {QueueAway} */
  async ready(timeoutMs: number): Promise<void> {
    const { client } = this;
    if (client.status === 'ready') return;
    if (client.status === 'end') throw new QueueAway();
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        client.off('ready', done);
        resolve();
      };
      const timer = setTimeout(() => {
        client.off('ready', done);
        reject(new QueueAway());
      }, timeoutMs).unref();
      client.on('ready', done);
    });
  }

  /** One line in five seconds: a server that is away errs many times a second. */
  complain(error: unknown): void {
    if (this.now() < this.quietUntilMs) return;
    this.quietUntilMs = this.now() + 5_000;
    this.logger.warn('queue.away', {
      error: error instanceof Error ? error.message : String(error),
    });
  }

  close(): void {
    this.client.disconnect();
    this.subscriber.disconnect();
  }

  /** A Redis that evicts or forgets loses jobs; the sweeper finds them, a minute late. */
  private async warnOfForgetfulness(): Promise<void> {
    try {
      const [, policy] = (await this.client.config('GET', 'maxmemory-policy')) as string[];
      const [, appendonly] = (await this.client.config('GET', 'appendonly')) as string[];
      if (policy !== 'noeviction' || appendonly !== 'yes')
        this.logger.warn('queue.redisForgets', { 'maxmemory-policy': policy, appendonly });
    } catch {
      // Managed servers hide their settings.
    }
  }

  private open(options: RedisOptions): Redis {
    const client = new Redis(this.url, {
      retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
      ...options,
    });
    client.setMaxListeners(0);
    client.on('error', (error) => this.complain(error));
    return client;
  }
}
