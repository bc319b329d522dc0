import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createDiskDuty, type DiskNews } from '../../src/cli/serve/disk-duty.js';
import { openMigratedDatabase } from '../../src/storage/database.js';
import { createStore } from '../../src/storage/store.js';
import type { Store } from '../../src/studio/ports/store.js';
import { keepingLogger, wallClock } from '../support/quiet.js';

const GB = 1e9;
const hourMs = 3_600_000;
let dir: string;
let store: Store;
beforeEach(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-disk-'));
  store = createStore(await openMigratedDatabase({ file: path.join(dir, 'a.db') }, wallClock));
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Hours of a disk with so much free in each. */
async function watch(freeGb: (hour: number) => number | undefined, hours: number) {
  let hour = 0;
  const told: (DiskNews & { readonly key: string; readonly hour: number })[] = [];
  const logger = keepingLogger();
  const duty = createDiskDuty({
    ...{ store, logger, minFreeBytes: 10 * GB, clock: { now: () => hour * hourMs } },
    blobs: {
      freeBytes: async () => {
        const free = freeGb(hour);
        return free === undefined ? undefined : free * GB;
      },
    },
    tellOperator: async (key, news) => void told.push({ key, hour, ...news }),
  });
  for (; hour < hours; hour += 1) await duty.run();
  return { told, logger };
}

test('the operator is told a week before a disk is full, and how fast it fills', async () => {
  // 24 GB a day; full, but for the reserve, after ten days.
  const { told, logger } = await watch((hour) => 250 - hour, 24 * 4);
  const [first] = told;
  expect(first!.hour).toBeGreaterThanOrEqual(72);
  expect(first).toMatchObject({ days: 6, gbPerDay: '24.0' });
  expect(new Set(told.map(({ key }) => key))).toEqual(new Set(['disk:3']));
  expect(logger.lines.map(({ event }) => event)).toContain('disk.fills');
});

test('a disk that is used and cleaned in turn does not fill', async () => {
  const { told } = await watch((hour) => 40 - (hour % 24) / 2, 24 * 6);
  expect(told.filter(({ hour }) => hour > 48)).toEqual([]);
});

test('one batch of photos says nothing about the days to come', async () => {
  const { told } = await watch((hour) => 40 - hour * 2, 10);
  expect(told).toEqual([]);
});

test('a full disk is told of at once', async () => {
  const { told } = await watch(() => 9, 1);
  expect(told).toMatchObject([{ days: 0, freeGb: '9.0' }]);
});

test('a bucket has no end', async () => {
  expect((await watch(() => undefined, 30)).told).toEqual([]);
});
