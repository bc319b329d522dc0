import { createBullQueue } from '../../src/queue/bull-queue.js';
import { contractPolicy, queueContract } from '../contracts/queue.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { startRedis } from '../support/redis.js';

queueContract(async () => {
  const redis = await startRedis();
  return {
    victim: ['bull', redis.url] as const,
    open: async () =>
      createBullQueue(
        { clock: wallClock, logger: keepingLogger() },
        { redisUrl: redis.url, ...contractPolicy },
      ),
    reset: () => redis.flush(),
    stop: () => redis.stop(),
  };
});
