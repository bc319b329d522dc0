import { openMigratedDatabase } from '../../src/storage/database.js';
import { createPeriodReports } from '../../src/storage/impact-store.js';
import { migrations } from '../../src/storage/migrations/index.js';
import { createMonitor } from '../../src/storage/monitor-store.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { openShop } from '../support/shop.js';

// Starts a PostgreSQL of its own.
jest.setTimeout(120_000);

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const places = ['sqlite', 'postgres'] as const;
const urlFor = async (place: (typeof places)[number]) =>
  place === 'postgres' ? { url: await postgres.createDatabase() } : {};

test.each(places)('%s counts what stands, and what a period took', async (place) => {
  const shop = await openShop({ database: await urlFor(place) });
  try {
    const monitor = createMonitor(shop.database);
    const fromMs = shop.clock.now();
    const someone = await shop.newCustomer();
    const photo = await shop.readyPhoto(someone);
    await shop.studio.addVariants(someone.id, photo.id, 1);
    await shop.drain();
    const waiting = await shop.submit(someone);
    const { chat } = someone;
    await shop.studio.topUp(someone.id, 'one', { method: 'sandbox', chat, key: 'a-top-up' });
    const backlog = await monitor.backlog(shop.clock.now() + 60_000);
    const restore = backlog.find(({ job }) => job === 'restore');
    expect(restore).toMatchObject({ priority: 5, jobs: 1 });
    expect(restore!.oldestMs).toBeGreaterThanOrEqual(60_000);
    expect(await monitor.photos()).toEqual(
      expect.arrayContaining([
        { state: 'ready', count: 1 },
        { state: 'queued', count: 1 },
      ]),
    );
    expect(await monitor.orders()).toEqual([{ state: 'pending', method: 'sandbox', count: 1 }]);
    expect(await monitor.quarantined()).toEqual([]);

    const reports = createPeriodReports(shop.database);
    const toMs = shop.clock.now() + 1;
    const facts = await reports.period(fromMs, toMs);
    // Another finishing of the same colours is no inference.
    expect(facts.photos).toBe(1);
    expect(facts.work).toMatchObject([
      { provider: 'cpu', card: null, inferences: 1, seconds: 0.012, measuredSeconds: 0, joules: 0 },
    ]);
    await shop.studio.deletePhoto(someone.id, photo.id);
    await shop.studio.deletePhoto(someone.id, waiting.id);
    expect(await reports.period(fromMs, toMs)).toEqual(facts);
    expect(await reports.period(toMs, toMs + 1)).toEqual({ photos: 0, work: [] });
  } finally {
    await shop.close();
  }
});

test.each(places)('%s sums cards one by one, measured and not', async (place) => {
  const shop = await openShop({ database: await urlFor(place) });
  try {
    const photo = await shop.readyPhoto(await shop.newCustomer());
    const [look] = await shop.store.read.looks.ofPhoto(photo.id);
    const made = { provider: 'cuda', card: 'GTX 1060', seconds: 2, readyMs: 1_000 };
    await shop.store.transaction(async ({ looks }) => {
      const add = (index: number, facts: object) =>
        looks.insert({ ...look!, id: `lk_${index}`, index, ...made, ...facts });
      await add(11, { cardId: 'GPU-1', joules: 200 });
      await add(12, { cardId: 'GPU-1', joules: null, readyMs: 5_000 });
      await add(13, { cardId: 'GPU-2', joules: 90.5 });
    });
    const { photos, work } = await createPeriodReports(shop.database).period(0, 10_000);
    expect(photos).toBe(1);
    const both = { provider: 'cuda', card: 'GTX 1060' };
    expect(work).toEqual([
      {
        ...{ ...both, cardId: 'GPU-1', inferences: 2, seconds: 4, measuredSeconds: 2, joules: 200 },
        ...{ firstMs: 1_000, lastMs: 5_000 },
      },
      {
        ...{
          ...both,
          cardId: 'GPU-2',
          inferences: 1,
          seconds: 2,
          measuredSeconds: 2,
          joules: 90.5,
        },
        ...{ firstMs: 1_000, lastMs: 1_000 },
      },
    ]);
  } finally {
    await shop.close();
  }
});

test('the last step is in the list, in order', async () => {
  expect(migrations.map(({ name }) => name)).toContain('005-work-facts');
  expect([...migrations].sort((a, b) => a.name.localeCompare(b.name))).toEqual([...migrations]);
  const url = await postgres.createDatabase();
  const database = await openMigratedDatabase({ file: '', url }, { now: () => 1 });
  await database.close();
});
