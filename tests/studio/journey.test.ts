import { openShop, type Shop } from '../support/shop.js';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

test('a photo is taken in, coloured and shown', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.submit(someone);
  expect(photo).toMatchObject({ status: 'queued', unlocked: false, widthPx: 320, heightPx: 240 });
  await shop.drain();
  const ready = await shop.studio.photo(someone.id, photo.id);
  expect(ready).toMatchObject({ status: 'ready', unlocked: false });
  expect(ready.looks).toMatchObject([{ state: 'ready', model: 'starter', provider: 'cpu' }]);
  expect(await shop.blobs.has(ready.looks[0]!.previewKey!)).toBe(true);
  expect(await shop.blobs.has(ready.looks[0]!.comparisonKey!)).toBe(true);
  expect(shop.news()).toEqual(['photo.preview']);
  const events = (await shop.studio.timeline(someone.id, photo.id)).map((line) => line.event);
  expect(events).toEqual([
    ...['photo.received', 'photo.inspected', 'photo.decoded', 'photo.predicted'],
    ...['photo.rendered', 'photo.ready', 'photo.told'],
  ]);
  expect(await shop.store.read.outbox.backlog(shop.clock.now())).toMatchObject({ jobs: 0 });
});

test('HD is paid at the sandbox, settled by polling and handed over', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const options = { key: 'wish-1', chat: someone.chat };
  const wish = await shop.studio.unlock(someone.id, [photo.id], options);
  if (wish.status !== 'payment') throw new Error('expected an order');
  expect(wish.order).toMatchObject({ state: 'pending', amountMinor: 990, method: 'sandbox' });
  expect(await shop.studio.unlock(someone.id, [photo.id], options)).toEqual(wish);
  const trade = shop.sandbox.tradeOf(wish.order.qr!)!;
  await shop.sandbox.pay(trade);
  await shop.studio.refreshOrder(wish.order.id);
  await shop.drain();
  expect(await shop.studio.order(someone.id, wish.order.id)).toMatchObject({ state: 'fulfilled' });
  const unlocked = await shop.studio.photo(someone.id, photo.id);
  expect(unlocked.unlocked).toBe(true);
  expect(await shop.blobs.has(unlocked.masterKey!)).toBe(true);
  expect(shop.news()).toEqual(['photo.preview', 'order.paid', 'photo.master']);
  expect((await shop.studio.profile(someone.id)).credits).toBe(0);
});
