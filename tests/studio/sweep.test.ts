import { ChannelAway } from '../../src/studio/errors/index.js';
import { createDuties } from '../../src/studio/sweep/index.js';
import { sweepOverdue } from '../../src/studio/sweep/overdue.js';
import { sweepOrphans, sweepRetention } from '../../src/studio/sweep/retention.js';
import { sweepStuck } from '../../src/studio/sweep/stuck.js';
import { clerk, openShop, type Shop } from '../support/shop.js';

const minute = 60_000;
const day = 24 * 60 * minute;
let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

/** Relay without running anything. */
async function relayOnly(): Promise<void> {
  const jobs = await shop.store.read.outbox.pending(100);
  for (const { createdMs: _, relayedMs: __, ...job } of jobs) await shop.queue.add(job);
  const keys = jobs.map((job) => job.key);
  await shop.store.transaction(({ outbox }) => outbox.relayed(keys, shop.clock.now()));
}

test('jobs that a flushed queue forgot are added again', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  await relayOnly();
  shop.queue.flush();
  expect(await sweepOverdue(shop.context)).toBe(0);
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(1);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).status).toBe('ready');
});

test('jobs that wait their turn are left alone', async () => {
  const someone = await shop.newCustomer();
  await shop.submit(someone);
  await relayOnly();
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(0);
  expect(await sweepOverdue(shop.context)).toBe(0);
});

test('a restore whose outcome was lost on the way is done again', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  await relayOnly();
  const key = `restore:${photo.id}:1`;
  shop.queue.entries.get(key)!.state = 'done';
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(1);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).status).toBe('ready');
});

test('a restore that is forgotten and whose outcome was buried is done again', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  await relayOnly();
  const key = `restore:${photo.id}:1`;
  const restore = shop.queue.entries.get(key)!;
  shop.queue.entries.delete(key);
  shop.queue.entries.set(`deliver:${key}`, {
    ...restore,
    ...{ key: `deliver:${key}`, name: 'deliver', state: 'dead' },
  } as typeof restore);
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(1);
  await shop.drain();
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(1);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).status).toBe('ready');
});

test.each(['done', 'forgotten'] as const)(
  'a restore that is %s is left alone while its outcome is under way',
  async (state) => {
    const someone = await shop.newCustomer();
    const photo = await shop.submit(someone);
    await relayOnly();
    const key = `restore:${photo.id}:1`;
    const restore = shop.queue.entries.get(key)!;
    if (state === 'done') restore.state = 'done';
    else shop.queue.entries.delete(key);
    const job = { ...restore.job, key: `deliver:${key}`, name: 'deliver' } as typeof restore.job;
    await shop.queue.add(job);
    shop.skip(2 * minute);
    expect(await sweepOverdue(shop.context)).toBe(0);
    expect(shop.queue.entries.has(key)).toBe(state === 'done');
    expect(await shop.store.read.photos.find(photo.id)).toMatchObject({ runs: 1 });
    expect(await shop.store.read.outbox.find(key)).toBeDefined();
  },
);

test('a restore that was buried unheard fails its photo', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  await relayOnly();
  shop.queue.entries.get(`restore:${photo.id}:1`)!.state = 'dead';
  shop.skip(2 * minute);
  await sweepOverdue(shop.context);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).status).toBe('failed');
  expect(shop.news()).toEqual(['photo.failed']);
});

test('news for a channel that is away for long is told when it is back', async () => {
  const someone = await shop.newCustomer();
  const { notify } = shop.chat;
  Object.assign(shop.chat, {
    notify: async () => {
      throw new ChannelAway('web');
    },
  });
  await shop.readyPhoto(someone);
  expect(shop.news()).toEqual([]);
  Object.assign(shop.chat, { notify });
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(1);
  await shop.drain();
  expect(shop.news()).toEqual(['photo.preview']);
});

test('news that nobody could be told for days is given up', async () => {
  const someone = await shop.newCustomer();
  const notify = shop.chat.notify;
  const away = async () => {
    throw new ChannelAway('web');
  };
  Object.assign(shop.chat, { notify: away });
  await shop.readyPhoto(someone);
  shop.skip(3 * day + minute);
  expect(await sweepOverdue(shop.context)).toBe(1);
  Object.assign(shop.chat, { notify });
  await shop.drain();
  shop.skip(2 * minute);
  expect(await sweepOverdue(shop.context)).toBe(0);
  expect(shop.news()).toEqual([]);
});

test('a photo without a job, whose outcome is on its way, is not begun again', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  await relayOnly();
  const key = `restore:${photo.id}:1`;
  const { job } = shop.queue.entries.get(key)!;
  await shop.queue.add({ ...job, key: `deliver:${key}`, name: 'deliver' } as typeof job);
  await shop.store.transaction(({ outbox }) => outbox.done([key]));
  shop.skip(3 * minute);
  expect(await sweepStuck(shop.context)).toBe(0);
  expect(await shop.store.read.photos.find(photo.id)).toMatchObject({ runs: 1 });
});

test('photos and holds without any job are found', async () => {
  const someone = await shop.newCustomer();
  const ready = await shop.readyPhoto(someone);
  const waiting = await shop.submit(someone);
  const { code } = await codeFor(1);
  await shop.studio.redeemCreditCode(someone.id, code);
  await shop.studio.unlock(someone.id, [ready.id], { key: 'k', chat: someone.chat });
  const jobs = await shop.store.read.outbox.pending(100);
  await shop.store.transaction(({ outbox }) => outbox.done(jobs.map((job) => job.key)));
  expect(await sweepStuck(shop.context)).toBe(0);
  shop.skip(3 * minute);
  expect(await sweepStuck(shop.context)).toBe(2);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, waiting.id)).status).toBe('ready');
  expect((await shop.studio.photo(someone.id, ready.id)).masterKey).toBeDefined();
});

test.each(['dead', 'cancelled'] as const)(
  'a hold whose %s job told nobody is given back, with the reason',
  async (state) => {
    const someone = await shop.newCustomer();
    const photo = await shop.readyPhoto(someone);
    const { code } = await codeFor(1);
    await shop.studio.redeemCreditCode(someone.id, code);
    await shop.studio.unlock(someone.id, [photo.id], { key: 'k', chat: someone.chat });
    await relayOnly();
    const [key, entry] = [...shop.queue.entries].find(([, { job }]) => job.name === 'unlock')!;
    Object.assign(entry, { state, lastError: 'RENDER: gone' });
    await shop.store.transaction(({ outbox }) => outbox.done([key]));
    shop.skip(3 * minute);
    expect(await sweepStuck(shop.context)).toBe(1);
    expect((await shop.studio.profile(someone.id)).credits).toBe(1);
    expect((await shop.studio.photo(someone.id, photo.id)).unlocked).toBe(false);
    expect(await sweepStuck(shop.context)).toBe(0);
    await shop.drain();
    expect(shop.news()).toContain('photo.failed');
  },
);

test('files go when their time is over, and what was paid is still known', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const { code } = await codeFor(1);
  await shop.studio.redeemCreditCode(someone.id, code);
  await shop.studio.unlock(someone.id, [photo.id], { key: 'k', chat: someone.chat });
  await shop.drain();
  shop.skip(29 * day);
  expect(await sweepRetention(shop.context)).toBe(0);
  shop.skip(2 * day);
  expect(await sweepRetention(shop.context)).toBe(6);
  const view = await shop.studio.photo(someone.id, photo.id);
  expect(view).toMatchObject({ status: 'ready', unlocked: true });
  expect(view.originalKey ?? view.masterKey ?? view.looks[0]!.previewKey).toBeUndefined();
  for await (const blob of shop.blobs.list()) throw new Error(`left over: ${blob.key}`);
  await expect(shop.studio.adjust(someone.id, photo.id, { strength: 1 })).rejects.toMatchObject({
    code: 'NOT_POSSIBLE_NOW',
  });
});

test('a master whose time is over is made again for nothing while the original is here', async () => {
  await shop.close();
  shop = await openShop({
    config: { retentionDays: { original: 60, chroma: 1, preview: 60, master: 2 } },
  });
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const { code } = await codeFor(1);
  await shop.studio.redeemCreditCode(someone.id, code);
  const unlock = (key: string) =>
    shop.studio.unlock(someone.id, [photo.id], { key, chat: someone.chat });
  await unlock('one');
  await shop.drain();
  shop.skip(3 * day);
  expect(await sweepRetention(shop.context)).toBe(3);
  expect((await shop.studio.photo(someone.id, photo.id)).masterKey).toBeUndefined();
  expect(await unlock('two')).toEqual({ status: 'unlocked' });
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).masterKey).toBeDefined();
});

test('an original whose time is over stays while its HD is in the making', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const { code } = await codeFor(1);
  await shop.studio.redeemCreditCode(someone.id, code);
  shop.skip(31 * day);
  await shop.studio.unlock(someone.id, [photo.id], { key: 'k', chat: someone.chat });
  expect(await sweepRetention(shop.context)).toBe(0);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, photo.id)).masterKey).toBeDefined();
});

test('of a photo with looks and HD nothing is an orphan, however old', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  await shop.studio.addVariants(someone.id, photo.id, 3);
  const { code } = await codeFor(1);
  await shop.studio.redeemCreditCode(someone.id, code);
  await shop.studio.unlock(someone.id, [photo.id], { key: 'k', chat: someone.chat });
  await shop.drain();
  const kinds = new Set<string>();
  for await (const { key } of shop.blobs.list()) kinds.add(key.split('/')[0]!);
  expect([...kinds].sort()).toEqual([
    ...['chroma', 'comparison', 'master', 'original', 'preview', 'screen', 'sheet'],
  ]);
  shop.skip(2 * 60 * minute);
  expect(await sweepOrphans(shop.context)).toBe(0);
});

test('orphans go, files in use and fresh ones stay', async () => {
  const someone = await shop.newCustomer();
  await shop.readyPhoto(someone);
  const orphan = await shop.blobs.putBytes('preview', Buffer.from('orphan'));
  expect(await sweepOrphans(shop.context)).toBe(0);
  shop.skip(2 * 60 * minute);
  expect(await sweepOrphans(shop.context)).toBe(1);
  expect(await shop.blobs.has(orphan.key)).toBe(false);
});

test('every duty runs on an empty shop', async () => {
  for (const duty of createDuties(shop.context)) expect(await duty.run()).toBe(0);
});

async function codeFor(credits: number): Promise<{ code: string }> {
  const { createOperator } = await import('../../src/studio/operator.js');
  const wanted = { credits, count: 1, batch: 'test', expiresMs: null };
  return { code: (await createOperator(shop.context).createCodes(clerk, wanted))[0]! };
}
