import type { NewJob } from '../../src/studio/jobs.js';
import { expiringKinds } from '../../src/studio/ports/expiry.js';
import { sweepOverdue } from '../../src/studio/sweep/overdue.js';
import { sweepRetention } from '../../src/studio/sweep/retention.js';
import { everyMs, growDatabase, nth, openedMs } from '../support/grown-database.js';
import { openShop, type Shop } from '../support/shop.js';

const photos = 200;
const dayMs = 86_400_000;
let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

/** Jobs that a queue had long ago, the money last. */
async function handedOver(count: number): Promise<void> {
  const job = (n: number, priority: number): NewJob => ({
    ...{ name: 'intake', key: `${priority}:${n}`, payload: { photoId: `p${n}` } },
    ...{ priority, group: 'c' },
  });
  await shop.store.transaction(async ({ outbox }) => {
    const all = [5, 2, 1].flatMap((priority) =>
      Array.from({ length: count }, (_, n) => job(n, priority)),
    );
    for (const one of all) await outbox.add(one, 1);
    for (const [n, { key }] of all.entries()) await outbox.relayed([key], n + 1);
  });
}

/** A shop that has been open for long; its clock has stood long enough to be believed. */
async function grownShop(): Promise<void> {
  await growDatabase(shop.database.raw, photos);
  shop.skip(dayMs);
}

test('after a flush everything is back in one round, money first', async () => {
  await handedOver(250);
  expect(await sweepOverdue(shop.context)).toBe(750);
  const urgencies = [...shop.queue.entries.values()].map(({ job }) => job.priority);
  expect(urgencies).toEqual([...urgencies].sort((one, other) => one - other));
  expect(urgencies).toHaveLength(750);
  shop.skip(120_000);
  expect(await sweepOverdue(shop.context)).toBe(0);
});

test('what a studio that closes leaves is put back at its next start', async () => {
  await handedOver(250);
  const first = await sweepOverdue(shop.context, AbortSignal.abort());
  expect(first).toBeGreaterThan(0);
  expect(first + (await sweepOverdue(shop.context))).toBe(750);
});

test('retention goes as far as there is something due, and keeps what is being made', async () => {
  await grownShop();
  const { read } = shop.store;
  const left = async (kind: (typeof expiringKinds)[number]) =>
    (await read.photos.withExpired(kind, openedMs + photos * everyMs + 1, 10_000)).photoIds;
  expect((await left('original')).length).toBe(photos);
  await sweepRetention(shop.context, AbortSignal.abort());
  expect((await left('original')).length).toBeGreaterThanOrEqual(photos - 1);
  await sweepRetention(shop.context);
  const making = Array.from({ length: 10 }, (_, n) => nth('ph', n + 1));
  const kept = { original: making, chroma: making, preview: making, master: [] };
  for (const kind of expiringKinds) expect(await left(kind)).toEqual(kept[kind]);
});

test('old looks of a photo that something happened to lately stay', async () => {
  await grownShop();
  const id = nth('ph', 30);
  const now = shop.clock.now();
  await shop.store.transaction(({ photos }) => photos.update(id, { updatedMs: now - 5 * dayMs }));
  await sweepRetention(shop.context);
  const [look] = await shop.store.read.looks.ofPhoto(id);
  expect(look).toMatchObject({ chromaKey: 'chroma/30', previewKey: 'preview/30' });
  shop.skip(26 * dayMs);
  await sweepRetention(shop.context);
  const [gone] = await shop.store.read.looks.ofPhoto(id);
  expect(gone).toMatchObject({ chromaKey: null, previewKey: null, comparisonKey: null });
});
