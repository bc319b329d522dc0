import Redis from 'ioredis';
import { QueueAway } from '../studio/errors/index.js';
import type { Clock } from '../studio/ports/basics.js';
import type { BoxReport, Fleet, SeenBox } from '../studio/ports/fleet.js';

/** A box is forgotten when it has been silent for this long. */
const forgetMs = 20_000;

/** Boxes in Redis: one key each that expires by itself, and an index by the last sign of life. */
export function createRedisFleet(
  { clock }: { clock: Clock },
  { redisUrl, prefix = 'huancai' }: { redisUrl: string; prefix?: string },
): Fleet {
  const client = new Redis(redisUrl, {
    enableOfflineQueue: true,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 2,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
  });
  // Whoever asks hears of it.
  client.on('error', () => {});
  const index = `${prefix}:boxes`;
  const keyOf = (worker: string) => `${prefix}:box:${worker}`;

  return {
    announce: async (report: BoxReport) => {
      const { worker } = report;
      await client
        .multi()
        .set(keyOf(worker), JSON.stringify(report), 'PX', forgetMs)
        .zadd(index, clock.now(), worker)
        .zremrangebyscore(index, '-inf', clock.now() - 86_400_000)
        .exec()
        .catch(() => {});
    },

    leave: async (worker) => {
      await client
        .multi()
        .del(keyOf(worker))
        .zrem(index, worker)
        .exec()
        .catch(() => {});
    },

    list: async () => {
      try {
        const workers = await client.zrange(index, 0, -1);
        if (workers.length === 0) return [];
        const texts = await client.mget(workers.map(keyOf));
        const ages = await Promise.all(workers.map((worker) => client.pttl(keyOf(worker))));
        const nowMs = clock.now();
        return texts.flatMap((text, i): SeenBox[] => {
          if (text === null) return [];
          return [{ ...(JSON.parse(text) as BoxReport), seenMs: nowMs - (forgetMs - ages[i]!) }];
        });
      } catch (error) {
        throw new QueueAway(error);
      }
    },

    close: () => client.disconnect(),
  };
}
