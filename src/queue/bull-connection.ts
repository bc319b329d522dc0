import Redis, { type RedisOptions } from 'ioredis';
import { QueueAway, StudioError } from '../studio/errors/index.js';
import type { Logger } from '../studio/ports/basics.js';
import { type BullCommands, bullScripts } from './bull-scripts.js';
import { keepSubscribed } from './bull-subscriptions.js';
import { fleetScripts } from './fleet-scripts.js';

/** A Redis client with bull's scripts defined on it. */
export type QueueClient = Redis & BullCommands;

/** A command that has no answer by then has failed, ms. Blocking ones wait as long as they were told to. */
const commandTimeout = 10_000;

/** A reconnection that takes longer is an absence, ms. */
const blipMs = 250;
/** A server that has not answered a whole call by then is silent, ms. */
const silentMs = 4_000;

function saidBy(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wantsPassword(said: string): boolean {
  return /NOAUTH|WRONGPASS|NOPERM|unauthenticated|invalid password|AUTH <password>/.test(said);
}

/** What to do about it, where the answer says so. */
function hintFor(said: string): { hint?: string } {
  return wantsPassword(said) ? { hint: 'Redis wants a password: redis://:password@host:port' } : {};
}

/** The two connections all bull queues of a process share. */
export class BullConnection {
  readonly client: QueueClient;
  readonly subscriber: Redis;
  /** Once met, a server that is away is away: callers need not wait for it as at the start. */
  met = false;
  /** What Redis or the net said last, for whoever is told that it is away. */
  fault: unknown;
  private quietUntilMs = 0;

  constructor(
    private readonly config: { readonly redisUrl: string; readonly connectTimeoutMs?: number },
    private readonly logger: Logger,
    private readonly now: () => number,
  ) {
    // Without the offline queue a command fails at once while Redis is away instead of hanging.
    this.client = this.open({ enableOfflineQueue: false, commandTimeout }) as QueueClient;
    for (const [name, { keys, lua }] of Object.entries({ ...bullScripts, ...fleetScripts }))
      this.client.defineCommand(name, keys === undefined ? { lua } : { numberOfKeys: keys, lua });
    this.subscriber = this.openBlocking({ autoResubscribe: false });
    keepSubscribed(this.subscriber, (error) => this.complain(error));
    this.client.once('ready', () => {
      this.met = true;
      this.fault = undefined;
      void this.warnOfForgetfulness();
    });
  }

  /** For brpoplpush and subscriptions: waits for Redis as long as it takes. */
  openBlocking(options: RedisOptions = {}): Redis {
    return this.open({ maxRetriesPerRequest: null, enableReadyCheck: false, ...options });
  }

  /**
   * Wait for the server, ask, and let callers see `QueueAway` whatever the driver says.
   * @param limitMs no answer by then is none. The call may still happen: keys make that harmless.
   */
  async ask<R>(call: () => Promise<R>, limitMs = silentMs): Promise<R> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const starting = !this.met && !wantsPassword(saidBy(this.fault));
      await this.ready(starting ? (this.config.connectTimeoutMs ?? 5_000) : blipMs);
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          // Silent and not just slow: connect again, and fail at once until it answers.
          if (limitMs >= silentMs && this.client.status === 'ready') this.client.disconnect(true);
          reject(new QueueAway(new Error(`no answer within ${limitMs} ms`)));
        }, limitMs);
      });
      const answer = call();
      // Who comes too late is heard by nobody.
      answer.catch(() => {});
      return await Promise.race([answer, late]);
    } catch (cause) {
      throw cause instanceof StudioError ? cause : new QueueAway(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Wait for the server, at most `timeoutMs`. @throws {QueueAway} */
  async ready(timeoutMs: number): Promise<void> {
    const { client } = this;
    if (client.status === 'ready') return;
    if (client.status === 'end') throw new QueueAway(this.fault);
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        client.off('ready', done);
        resolve();
      };
      const timer = setTimeout(() => {
        client.off('ready', done);
        reject(new QueueAway(this.fault));
      }, timeoutMs).unref();
      client.on('ready', done);
    });
  }

  /** One line in five seconds: a server that is away errs many times a second. */
  complain(error: unknown): void {
    this.fault = error;
    if (this.now() < this.quietUntilMs) return;
    this.quietUntilMs = this.now() + 5_000;
    const said = saidBy(error);
    this.logger.warn('queue.away', { setting: 'REDIS_URL', error: said, ...hintFor(said) });
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
    const client = new Redis(this.config.redisUrl, {
      // A cut cable says nothing: the system asks.
      keepAlive: 10_000,
      retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
      ...options,
    });
    client.setMaxListeners(0);
    client.on('error', (error) => this.complain(error));
    return client;
  }
}
