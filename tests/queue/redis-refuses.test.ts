import { createBullQueue } from '../../src/queue/bull-queue.js';
import { QueueAway } from '../../src/studio/errors/index.js';
import type { JobQueue } from '../../src/studio/ports/queue.js';
import { contractPolicy, notify } from '../contracts/queue.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** A server that is there and does not do what it is asked: wants a password, or says nothing. */
let redis: TestRedis;
let queue: JobQueue;
let logger: ReturnType<typeof keepingLogger>;
const stray: unknown[] = [];
const keep = (reason: unknown) => void stray.push(reason);
beforeAll(() => process.on('unhandledRejection', keep));
afterAll(() => void process.off('unhandledRejection', keep));
beforeEach(async () => {
  stray.length = 0;
  redis = await startRedis({ own: true });
  logger = keepingLogger();
});
afterEach(async () => {
  await queue.close();
  await redis.stop();
});

const open = () =>
  createBullQueue(
    { clock: wallClock, logger },
    { redisUrl: redis.url, connectTimeoutMs: 500, ...contractPolicy },
  );
const done = async (key: string) => (await queue.find(key))?.state === 'done';
const count = (handled: string[]) => ({
  notify: async (job: { key: string }) => void handled.push(job.key),
});

test('a password from the start: nothing is left unheld, the log says the setting, all starts when it is gone', async () => {
  await redis.client.config('SET', 'requirepass', 'secret');
  queue = open();
  const handled: string[] = [];
  const shares: number[] = [];
  queue.onProgress(({ share }) => shares.push(share));
  const consumer = queue.consume(['notify'], count(handled), { concurrency: 1, worker: 'a' });
  const error = await queue.ping().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(QueueAway);
  expect(String((error as Error).cause)).toMatch(/NOAUTH/);
  await until(() => logger.lines.some(({ event }) => event === 'queue.away'));
  expect(logger.lines.find(({ event }) => event === 'queue.away')).toMatchObject({
    fields: { setting: 'REDIS_URL', hint: expect.stringMatching(/password/) },
  });
  await redis.client.config('SET', 'requirepass', '');
  await until(async () => (await queue.add(notify('after')).catch(() => undefined)) !== undefined);
  await until(() => done('after'));
  expect(handled).toEqual(['after']);
  expect(stray).toEqual([]);
  await consumer.close(1_000);
});

test('a password while work goes on: the same, and work goes on when it is gone', async () => {
  queue = open();
  const handled: string[] = [];
  queue.onProgress(() => {});
  const consumer = queue.consume(['notify'], count(handled), { concurrency: 1, worker: 'a' });
  await queue.add(notify('before'));
  await until(() => done('before'));
  await redis.client.config('SET', 'requirepass', 'secret');
  await redis.client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await redis.client.client('KILL', 'TYPE', 'pubsub');
  await until(
    async () => (await queue.ping().catch((caught: unknown) => caught)) instanceof QueueAway,
  );
  await redis.client.config('SET', 'requirepass', '');
  await until(async () => (await queue.add(notify('after')).catch(() => undefined)) !== undefined);
  await until(() => done('after'));
  expect(handled).toEqual(['before', 'after']);
  expect(stray).toEqual([]);
  await consumer.close(1_000);
});

test('a server that says nothing: every call ends, a place in the line soon, and all goes on after', async () => {
  queue = open();
  const handled: string[] = [];
  const consumer = queue.consume(['notify'], count(handled), { concurrency: 1, worker: 'a' });
  await queue.add(notify('before'));
  await until(() => done('before'));
  redis.pause();
  // Every call is made at once and by itself; on main none of them ends before the server answers.
  await expect(queue.position('before')).rejects.toThrow(QueueAway);
  await expect(queue.places('notify', 10)).rejects.toThrow(QueueAway);
  for (const call of [
    () => queue.add(notify('meanwhile')),
    () => queue.find('before'),
    () => queue.counts(),
    () => queue.list({ limit: 5 }),
    () => queue.ping(),
  ])
    await expect(call()).rejects.toThrow(QueueAway);
  redis.resume();
  await until(async () => (await queue.add(notify('after')).catch(() => undefined)) !== undefined);
  await until(() => done('after'));
  expect(handled.filter((key) => key !== 'meanwhile')).toEqual(['before', 'after']);
  expect(stray).toEqual([]);
  await consumer.close(1_000);
});
