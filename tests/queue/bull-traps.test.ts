import { createBullQueue } from '../../src/queue/bull-queue.js';
import { createOutboxRelay } from '../../src/queue/outbox-relay.js';
import { ChannelAway, QueueAway } from '../../src/studio/errors/index.js';
import type { NewJob } from '../../src/studio/jobs.js';
import type { JobQueue } from '../../src/studio/ports/queue.js';
import { contractPolicy, Gate, notify, pause } from '../contracts/queue.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { freePort, startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** What goes wrong with bull and Redis in real life (facts: stalls, restarts, FLUSHALL). */
let redis: TestRedis;
let queue: JobQueue;
beforeAll(async () => {
  redis = await startRedis({ own: true });
});
beforeEach(async () => {
  await redis.flush();
  queue = open();
});
afterEach(async () => queue.close());
afterAll(async () => redis.stop());

const open = (changes = {}) =>
  createBullQueue(
    { clock: wallClock, logger: keepingLogger() },
    { redisUrl: redis.url, connectTimeoutMs: 500, ...contractPolicy, ...changes },
  );
const done = async (key: string) => (await queue.find(key))?.state === 'done';

test('while Redis is away calls fail soon and say so; afterwards all goes on', async () => {
  let runs = 0;
  const consumer = queue.consume(
    ['notify'],
    { notify: async () => void runs++ },
    { concurrency: 1, worker: 'a' },
  );
  await queue.add(notify('before'));
  await until(() => done('before'));
  await queue.add(notify('waits', { notBeforeMs: Date.now() + 500 }));
  await redis.restart({
    whileDown: async () => {
      await expect(queue.add(notify('lost'))).rejects.toThrow(QueueAway);
      await expect(queue.ping()).rejects.toThrow(QueueAway);
    },
  });
  await until(async () => (await queue.add(notify('after'))) !== undefined);
  await until(() => done('after'));
  await until(() => done('waits'));
  expect(runs).toBe(3);
  await consumer.close(1_000);
});

test('a Redis that is not there at all: calls fail, consumers wait, closing is quick', async () => {
  const nowhere = createBullQueue(
    { clock: wallClock, logger: keepingLogger() },
    { redisUrl: `redis://127.0.0.1:${await freePort()}`, connectTimeoutMs: 200 },
  );
  const consumer = nowhere.consume(
    ['notify'],
    { notify: async () => {} },
    { concurrency: 1, worker: 'a' },
  );
  await expect(nowhere.add(notify('x'))).rejects.toThrow(QueueAway);
  await expect(nowhere.find('x')).rejects.toThrow(QueueAway);
  await consumer.close(1_000);
  await nowhere.close();
  await expect(nowhere.ping()).rejects.toThrow(QueueAway);
});

test('a job that runs while Redis restarts is done once', async () => {
  const gate = new Gate();
  let runs = 0;
  const consumer = queue.consume(
    ['notify'],
    {
      notify: async () => {
        runs++;
        await gate.opened;
      },
    },
    { concurrency: 2, worker: 'a' },
  );
  await queue.add(notify('long'));
  await until(() => runs === 1);
  await redis.restart({ downMs: 300 });
  await pause(contractPolicy.leaseMs * 2);
  gate.open();
  await until(() => done('long'));
  expect(runs).toBe(1);
  await consumer.close(1_000);
});

test('after FLUSHALL the relay brings everything back', async () => {
  const jobs = new Map<string, NewJob>();
  const relayed = new Set<string>();
  const ran: string[] = [];
  const outbox = {
    pending: async () =>
      [...jobs.values()].filter((j) => !relayed.has(j.key)).map((job) => ({ id: job.key, job })),
    markRelayed: async (ids: readonly string[]) => {
      for (const id of ids) relayed.add(id);
    },
  };
  const relay = createOutboxRelay({ outbox, queue, logger: keepingLogger() }, { pollMs: 50 });
  const gate = new Gate();
  const consumer = queue.consume(
    ['notify'],
    {
      notify: async (job) => {
        await gate.opened;
        ran.push(job.key);
        jobs.delete(job.key);
      },
    },
    { concurrency: 2, worker: 'a' },
  );
  for (let i = 0; i < 20; i++) jobs.set(`f${i}`, notify(`f${i}`));
  await until(() => relayed.size === 20);
  await until(async () => (await queue.counts()).active === 2);
  await redis.flush();
  // What the sweeper does with jobs that the queue no longer knows.
  for (const key of jobs.keys()) if (!(await queue.find(key))) relayed.delete(key);
  gate.open();
  await until(() => jobs.size === 0);
  expect(new Set(ran).size).toBe(20);
  await relay.close();
  await consumer.close(1_000);
});

test('what a worker writes of a job that was flushed under its hands does not hide the job', async () => {
  // Bull's own step for taking a job writes these on whatever server it meets.
  const remains = 'huancai:notify:@torn';
  await redis.client.hset(remains, { processedOn: Date.now(), worker: 'a' });
  await redis.client.set(`${remains}:lock`, 'token');
  expect(await queue.add(notify('torn'))).toBe('exists');
  expect(await queue.find('torn')).toBeUndefined();
  expect(await queue.add(notify('torn'))).toBe('added');
  const consumer = queue.consume(
    ['notify'],
    { notify: async () => {} },
    { concurrency: 1, worker: 'a' },
  );
  await until(() => done('torn'));
  await consumer.close(1_000);
});

test('failures are written down right after a restart: its scripts are loaded again', async () => {
  const attempts: number[] = [];
  const consumer = queue.consume(
    ['notify'],
    {
      notify: async (job) => {
        attempts.push(job.attempt);
        if (attempts.length % 2 === 1) throw new ChannelAway('web');
      },
    },
    { concurrency: 1, worker: 'a' },
  );
  await queue.add(notify('flaky1'));
  await until(() => done('flaky1'));
  await redis.restart();
  await until(async () => (await queue.add(notify('flaky2'))) !== undefined);
  await until(() => done('flaky2'));
  // Lost leases would have raised the number of attempts beyond two.
  expect(attempts).toEqual([1, 2, 1, 2]);
  expect(await redis.client.hget('huancai:notify:@flaky2', 'stalledCounter')).toBeNull();
  await consumer.close(1_000);
});

test('keys that bull uses itself are ordinary keys', async () => {
  const names = ['wait', 'active', 'delayed', 'priority', 'id', 'stalled', 'a:b:c', 'é 照片'];
  for (const key of names) expect(await queue.add(notify(key))).toBe('added');
  const ran: string[] = [];
  const consumer = queue.consume(
    ['notify'],
    { notify: async (job) => void ran.push(job.key) },
    { concurrency: 1, worker: 'a' },
  );
  await until(() => ran.length === names.length);
  expect(ran.sort()).toEqual([...names].sort());
  await consumer.close(1_000);
});
