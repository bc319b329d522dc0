import { createBullQueue } from '../../src/queue/bull-queue.js';
import type { Job, NewJob } from '../../src/studio/jobs.js';
import type { Ability, ConsumeOptions, JobQueue } from '../../src/studio/ports/queue.js';
import { contractPolicy, Gate, pause } from '../contracts/queue.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

/** Who gets which photo (docs/fleet.md, "How photos are shared out"). Real Redis, real consumers. */
let redis: TestRedis;
let queue: JobQueue;
const opened: JobQueue[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());
beforeEach(async () => {
  await redis.flush();
  queue = open();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function open(redisUrl = redis.url): JobQueue {
  const deps = { clock: wallClock, logger: keepingLogger() };
  const one = createBullQueue(deps, { redisUrl, ...contractPolicy });
  opened.push(one);
  return one;
}

function photo(key: string, sizePx?: number, more: Partial<NewJob<'restore'>> = {}, model = 'm') {
  const look = { lookId: 'lk', model, finishing: {}, ...(sizePx ? { sizePx } : {}) };
  const payload = {
    ...{ photoId: key, originalKey: 'original/x', looks: [look], sheet: false },
    ...{ preview: { longEdgePx: 256, watermark: 'x' }, label: { producer: 'x' } },
  };
  return { name: 'restore', key, payload, priority: 5, group: key, ...more } as NewJob<'restore'>;
}

interface BoxOptions extends Partial<ConsumeOptions> {
  readonly on?: JobQueue;
  readonly work?: (job: Job<'restore'>) => Promise<void>;
}

/** A box with its own connection, as on another machine. @returns the keys it took, in order. */
function box(worker: string, ability: Ability, options: BoxOptions = {}): string[] {
  const took: string[] = [];
  const restore = async (job: Job<'restore'>) => {
    took.push(job.key);
    await options.work?.(job);
  };
  const { on = open(), work: _, ...rest } = options;
  on.consume(
    ['restore'],
    { restore },
    {
      ...{ concurrency: 1, worker, ability: () => ability },
      ...rest,
    },
  );
  return took;
}

const done = async (count: number) => until(async () => (await queue.counts()).done === count);
/** Long enough for an idle box to have looked several times. */
const aWhile = 500;

test('large photos go only where they fit; small ones pass them by', async () => {
  await queue.add(photo('large', 1536));
  await queue.add(photo('small', 512));
  await queue.add(photo('own'));
  // Another that could: so the large one has somewhere to go.
  let awake = false;
  const large = box('large', { maxSizePx: 2048 }, { ready: () => awake });
  await pause(1_500);
  const small = box('small', { maxSizePx: 1024 });
  await until(() => small.length === 2);
  await pause(aWhile);
  expect(small).toEqual(['small', 'own']);
  awake = true;
  await done(3);
  expect(large).toEqual(['large']);
});

test('what is larger than any box takes goes to the largest', async () => {
  const small = box('small', { maxSizePx: 512 });
  const larger = box('larger', { maxSizePx: 1024 });
  await pause(aWhile);
  await queue.add(photo('huge', 2048));
  await done(1);
  expect([small, larger]).toEqual([[], ['huge']]);
});

test('an idle fast box goes before an idle slow one', async () => {
  const slow = box('slow', { seconds: 8 });
  const fast = box('fast', { seconds: 1 });
  await pause(aWhile);
  for (let i = 0; i < 5; i++) {
    await queue.add(photo(`p${i}`));
    await done(i + 1);
  }
  expect(slow).toEqual([]);
  expect(fast).toHaveLength(5);
});

test('a slow box helps as soon as the fast ones cannot be done sooner', async () => {
  const gate = new Gate();
  const work = () => gate.opened;
  const fast = box('fast', { seconds: 1 }, { work });
  await pause(aWhile);
  const slow = box('slow', { seconds: 4 }, { work });
  for (let i = 0; i < 3; i++) await queue.add(photo(`p${i}`));
  await until(() => fast.length === 1);
  await pause(aWhile);
  // Two wait: two seconds of the fast one, four of the slow one.
  expect(slow).toEqual([]);
  for (let i = 3; i < 8; i++) await queue.add(photo(`p${i}`));
  await until(() => slow.length === 1);
  gate.open();
  await done(8);
});

test('nobody waits for a faster box longer than doing it oneself takes', async () => {
  const gate = new Gate();
  const fast = box('fast', { seconds: 0.1 }, { work: () => gate.opened });
  await queue.add(photo('endless'));
  await until(() => fast.length === 1);
  const slow = box('slow', { seconds: 1 });
  await queue.add(photo('next'));
  await until(() => slow.length === 1);
  gate.open();
  await done(2);
});

test('a resting fast box is not waited for, a silent one neither', async () => {
  box('fast', { seconds: 0.5 }, { ready: () => false });
  await pause(1_500);
  const slow = box('slow', { seconds: 10 });
  await queue.add(photo('now'));
  await until(() => slow.length === 1);
});

test('paid first, also among those that fit', async () => {
  await queue.add(photo('free', 512));
  await queue.add(photo('paid and large', 2048, { priority: 2 }));
  await queue.add(photo('paid', 512, { priority: 2 }));
  let rested = true;
  box('large', { maxSizePx: 2048 }, { ready: () => !rested });
  await pause(1_500);
  const small = box('small', { maxSizePx: 1024 });
  await until(() => small.length === 2);
  expect(small).toEqual(['paid', 'free']);
  rested = false;
  await done(3);
});

test('a photo whose model a box could not get goes elsewhere', async () => {
  const without = box('without', { without: ['rare'] });
  await queue.add(photo('wants rare', 512, {}, 'rare'));
  await queue.add(photo('wants m', 512, {}, 'm'));
  await until(() => without.length === 1);
  await pause(aWhile);
  expect(without).toEqual(['wants m']);
  const has = box('has', {});
  await done(2);
  expect(has).toEqual(['wants rare']);
});

test('a thousand large ones in front do not starve a small one', async () => {
  for (let i = 0; i < 1_000; i++) await queue.add(photo(`l${i}`, 2048));
  await queue.add(photo('small', 512));
  box('large', { maxSizePx: 2048 }, { ready: () => false });
  await pause(1_500);
  const small = box('small', { maxSizePx: 1024 });
  await until(() => small.length === 1);
  expect(small).toEqual(['small']);
});

test('many boxes share a thousand photos, each done once', async () => {
  const counts = new Map<string, number>();
  const work = async ({ key }: Job<'restore'>) => void counts.set(key, (counts.get(key) ?? 0) + 1);
  for (let i = 0; i < 6; i++) box(`b${i}`, { maxSizePx: 512 * ((i % 2) + 1) }, { work });
  for (let i = 0; i < 1_000; i++) await queue.add(photo(`p${i}`, i % 10 === 0 ? 1024 : 512));
  await until(async () => (await queue.counts()).done === 1_000, 60_000);
  expect([...counts.values()].every((runs) => runs === 1)).toBe(true);
});

test('a box that was only cut off did not die with its photo', async () => {
  const proxy = await startFaultyProxy(Number(new URL(redis.url).port));
  const gate = new Gate();
  const first = box(
    'cut',
    {},
    { on: open(proxy.url.replace('http', 'redis')), work: () => gate.opened },
  );
  await queue.add(photo('p'));
  await until(() => first.length === 1);
  proxy.setDown(true);
  const attempts: number[] = [];
  const second = box(
    'other',
    {},
    {
      work: async (job) => {
        attempts.push(job.attempt);
        await gate.opened;
      },
    },
  );
  await until(() => second.length === 1);
  expect(attempts).toEqual([2]);
  const lost = () => redis.client.hget('huancai:restore:@p', 'stalledCounter');
  expect(await lost()).toBe('1');
  proxy.setDown(false);
  await until(async () => (await lost()) === '0');
  gate.open();
  await done(1);
  await proxy.close();
});

test('photos that lost a worker together travel alone: the innocent one is not struck twice', async () => {
  const proxy = await startFaultyProxy(Number(new URL(redis.url).port));
  const endless = new Gate();
  const cut = open(proxy.url.replace('http', 'redis'));
  const died = box('died', {}, { on: cut, concurrency: 2, work: () => endless.opened });
  for (const key of ['poison', 'innocent']) await queue.add(photo(key));
  await until(() => died.length === 2);
  const first = new Gate();
  const company: Record<string, string[]> = {};
  const running = new Set<string>();
  const work = async ({ key }: Job<'restore'>) => {
    running.add(key);
    for (const one of running) company[one] = [...(company[one] ?? []), ...running];
    await (key === 'first' ? first.opened : pause(300));
    running.delete(key);
  };
  // Busy with one of many when the two come back.
  for (const key of ['first', 'b', 'c', 'd', 'e']) await queue.add(photo(key));
  const other = box('other', {}, { concurrency: 2, work });
  await until(() => other.length >= 1);
  proxy.setDown(true);
  const lost = (key: string) => redis.client.hget(`huancai:restore:@${key}`, 'stalledCounter');
  await until(async () => (await lost('poison')) === '1' && (await lost('innocent')) === '1');
  const before = other.length;
  await pause(aWhile);
  // Its free place is kept free: nothing else passes the two by.
  expect(other.slice(before)).toEqual([]);
  first.open();
  await done(7);
  expect([company['poison'], company['innocent']]).toEqual([['poison'], ['innocent']]);
  expect(new Set(company['e']).size + new Set(company['d']).size).toBeGreaterThan(2);
  proxy.setDown(false);
  endless.open();
  // Its connection comes back after a pause that grew while the cable was out.
  await until(async () => (await cut.counts()) !== undefined, 30_000);
  await cut.close();
  await proxy.close();
});
