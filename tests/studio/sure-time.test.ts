import os from 'node:os';
import path from 'node:path';
import { steadyNow } from '../../src/studio/steady-now.js';
import { createSureTime } from '../../src/studio/sure-time.js';
import { sweepOrphans, sweepRetention } from '../../src/studio/sweep/retention.js';
import { removeStaleUploads } from '../../src/web/upload.js';
import { openShop, type Shop } from '../support/shop.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A year in which no test runs. */
const startMs = Date.UTC(2030, 0, 10);
let setMs: number;
let passedMs: number;
beforeEach(() => {
  setMs = 0;
  passedMs = 0;
});

const clock = { now: () => startMs + passedMs + setMs, steadyMs: () => 5_000 + passedMs };
const sure = (knownMs?: number) => createSureTime(clock, async () => knownMs);
const afterStart = (ms: number) => ms - startMs;

test('goes with the time of day as long as nobody sets it', async () => {
  const time = sure(startMs);
  expect(afterStart(await time())).toBe(0);
  passedMs = 2 * hourMs;
  expect(afterStart(await time())).toBe(2 * hourMs);
});

test('set ahead: only what has passed counts, until the new time has stood for six hours', async () => {
  const time = sure(startMs);
  await time();
  passedMs = hourMs;
  setMs = 400 * dayMs;
  expect(afterStart(await time())).toBe(hourMs);
  passedMs = 6 * hourMs;
  expect(afterStart(await time())).toBe(6 * hourMs);
  passedMs = 7 * hourMs;
  expect(afterStart(await time())).toBe(400 * dayMs + 7 * hourMs);
});

test('set back: no later than the time of day', async () => {
  const time = sure(startMs);
  await time();
  setMs = -3 * hourMs;
  expect(afterStart(await time())).toBe(-3 * hourMs);
});

test('wrong from the start: what was written down before says how late it was', async () => {
  const time = sure(startMs - 300 * dayMs);
  expect(afterStart(await time())).toBe(-300 * dayMs);
  passedMs = hourMs;
  expect(afterStart(await time())).toBe(-300 * dayMs + hourMs);
  passedMs = 6 * hourMs;
  expect(afterStart(await time())).toBe(6 * hourMs);
});

test('leftovers: what the steady clock has not seen pass makes nothing old', async () => {
  const { utimesSync, existsSync, mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'leftovers-'));
  const part = path.join(dir, `${process.pid}-upload`);
  writeFileSync(part, 'half');
  utimesSync(part, startMs / 1000, startMs / 1000);
  expect(steadyNow(clock)).toBe(startMs);
  setMs = 3 * hourMs;
  await removeStaleUploads(dir, clock);
  expect(existsSync(part)).toBe(true);
  passedMs = 2 * hourMs;
  await removeStaleUploads(dir, clock);
  expect(existsSync(part)).toBe(false);
  rmSync(dir, { recursive: true });
});

describe('with a studio', () => {
  let shop: Shop;
  let aheadMs = 0;
  beforeEach(async () => {
    aheadMs = 0;
    const now = () => Date.now() + aheadMs;
    shop = await openShop({ clock: { now, steadyMs: () => performance.now() } });
  });
  afterEach(() => shop.close());

  test('three hours ahead while a file has no row yet, or a year: nothing is deleted', async () => {
    const { id } = await shop.readyPhoto(await shop.newCustomer());
    const { key } = await shop.blobs.putBytes(
      'master',
      Buffer.from('just made, not written down yet'),
    );
    aheadMs = 3 * hourMs;
    expect(await sweepOrphans(shop.context)).toBe(0);
    aheadMs = 365 * dayMs;
    expect(await sweepOrphans(shop.context)).toBe(0);
    expect(await sweepRetention(shop.context)).toBe(0);
    expect(await shop.blobs.has(key)).toBe(true);
    expect(await shop.context.store.read.photos.find(id)).toMatchObject({
      originalKey: expect.any(String),
    });
  });
});
