import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Kysely, sql } from 'kysely';
import { createDatabaseQueue } from '../../src/queue/database-queue.js';
import type { QueueTables } from '../../src/queue/database-tables.js';
import { LeaseWatch } from '../../src/queue/lease-watch.js';
import { type Database, openMigratedDatabase } from '../../src/storage/database.js';
import type { JobQueue } from '../../src/studio/ports/queue.js';
import { contractPolicy, Gate, notify, pause } from '../contracts/queue.js';
import { keepingLogger, wallClock } from '../support/quiet.js';
import { until } from '../support/until.js';

/** The time of day is set while work is under way; the embedded queue must not believe it. */
const hourMs = 3_600_000;
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-clock-'));
let database: Database;
let queue: JobQueue;
let setMs = 0;
let files = 0;
const clock = { now: () => Date.now() + setMs, steadyMs: () => performance.now() };
beforeEach(async () => {
  setMs = 0;
  files += 1;
  database = await openMigratedDatabase({ file: path.join(dir, `${files}.db`) }, wallClock);
  queue = open();
});
afterEach(async () => {
  await queue.close();
  await database.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const open = () =>
  createDatabaseQueue(
    { db: database.relaxed as unknown as Kysely<QueueTables>, clock, logger: keepingLogger() },
    { dialect: 'sqlite', pollMs: 100, ...contractPolicy },
  );
const options = { concurrency: 1, worker: 'box:1' };
const state = async (key: string) => (await queue.find(key))?.state;

test.each([3, -3])('set by %d hours while a job runs: it runs once, to its end', async (hours) => {
  const gate = new Gate();
  let runs = 0;
  const work = async () => {
    runs += 1;
    await gate.opened;
  };
  queue.consume(['notify'], { notify: work }, options);
  const other = open();
  other.consume(['notify'], { notify: work }, { ...options, worker: 'box:2' });
  await queue.add(notify('under way'));
  await until(async () => (await state('under way')) === 'active');
  setMs = hours * hourMs;
  // Several looks of both housekeepers, and more than a lease.
  await pause(contractPolicy.leaseMs * 2);
  gate.open();
  await until(async () => (await state('under way')) === 'done');
  expect(runs).toBe(1);
  const { rows } = await sql<{ lost: number }>`select lost_workers as lost from queue_jobs`.execute(
    database.raw,
  );
  expect(rows).toEqual([{ lost: 0 }]);
  await other.close();
});

test('set back after a crash: a lease that lies an hour ahead holds nothing up', async () => {
  await queue.add(notify('left behind'));
  await sql`update queue_jobs set state = 'active', lease_token = 'dead', worker = 'gone:1',
    started_ms = ${Date.now() + hourMs}, lease_until_ms = ${Date.now() + hourMs}`.execute(
    database.raw,
  );
  queue.consume(['notify'], { notify: async () => {} }, options);
  await until(async () => (await state('left behind')) === 'done');
});

test('set back: jobs that were added, or postponed, by a clock ahead run now', async () => {
  setMs = 2 * hourMs;
  await queue.add(notify('from the future'));
  setMs = 0;
  await queue.add(notify('postponed'));
  await sql`update queue_jobs set started_ms = ${Date.now() + hourMs}, run_at_ms = ${Date.now() + hourMs}
    where key = 'postponed'`.execute(database.raw);
  await queue.add(notify('later', { notBeforeMs: Date.now() + hourMs }));
  queue.consume(['notify'], { notify: async () => {} }, options);
  await until(async () => (await state('from the future')) === 'done');
  await until(async () => (await state('postponed')) === 'done');
  expect(await state('later')).toBe('delayed');
});

test('a lease is dead when nobody renews it, whatever the time of day says', () => {
  let steadyMs = 0;
  const watch = new LeaseWatch(20_000, 2_000, () => steadyMs);
  const look = (untilMs: number, nowMs: number) =>
    watch.dead([{ token: 'a', untilMs }], nowMs).length === 1;
  expect(look(1_000, 900_000)).toBe(false);
  steadyMs += 2_000;
  // Renewed: alive, though lapsed by this clock.
  expect(look(3_000, 900_000)).toBe(false);
  steadyMs += 5_000;
  expect(look(3_000, 900_000)).toBe(false);
  steadyMs += 1_000;
  expect(look(3_000, 900_000)).toBe(true);
  expect(look(9_000_000, 900_000)).toBe(false);
  steadyMs += 19_000;
  expect(look(9_000_000, 900_000)).toBe(false);
  steadyMs += 1_000;
  expect(look(9_000_000, 900_000)).toBe(true);
});
