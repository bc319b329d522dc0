import { InferenceFailed, PhotoUnreadable } from '../../src/studio/errors/index.js';
import { createOperator } from '../../src/studio/operator.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';
import type { ShopOptions } from '../support/shop.js';
import { clerk } from '../support/shop.js';

let shop: BankShop;
const open = async (options: ShopOptions = {}) => {
  shop = await openBankShop(options);
  return shop;
};
afterEach(() => shop.close());

async function boughtTen() {
  const someone = await shop.newCustomer();
  const order = await shop.topUp(someone);
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  return { someone, order };
}

const wish = (amountMinor?: number, key = `key-${amountMinor}`) => ({
  ...{ key, reason: 'asked for it' },
  ...(amountMinor === undefined ? {} : { amountMinor }),
});

test('a full refund returns the money and takes the unspent credits back', async () => {
  await open();
  const { someone, order } = await boughtTen();
  await createOperator(shop.context).refund(clerk, order.id, wish());
  await shop.drain();
  expect(await shop.state(order.id)).toBe('refunded');
  expect(await shop.credits(someone)).toBe(0);
  const news = shop.told.find(({ event }) => event.kind === 'order.refunded');
  expect(news?.event).toMatchObject({ amountMinor: 6900, currency: 'CNY' });
  expect(shop.bank.takenMinor()).toBe(0);
  await shop.expectBalanced();
});

test('credits that were spent stay spent', async () => {
  await open();
  const { someone, order } = await boughtTen();
  const photo = await shop.readyPhoto(someone);
  await shop.studio.unlock(someone.id, [photo.id], { key: 'k', chat: someone.chat });
  await shop.drain();
  await createOperator(shop.context).refund(clerk, order.id, wish());
  await shop.drain();
  expect(await shop.credits(someone)).toBe(0);
  expect((await shop.studio.photo(someone.id, photo.id)).unlocked).toBe(true);
  await shop.expectBalanced();
});

test('partial refunds add up to what was paid and no further', async () => {
  await open();
  const { someone, order } = await boughtTen();
  const office = createOperator(shop.context);
  await office.refund(clerk, order.id, wish(2_000));
  await office.refund(clerk, order.id, wish(2_000));
  await office.refund(clerk, order.id, wish(4_000));
  await shop.drain();
  expect((await office.order(order.id)).order.refundedMinor).toBe(6_000);
  expect(await shop.credits(someone)).toBe(1);
  await expect(office.refund(clerk, order.id, wish(901))).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
  await office.refund(clerk, order.id, wish(900));
  await shop.drain();
  expect(await shop.state(order.id)).toBe('refunded');
  await shop.expectBalanced();
});

test('racing refunds never exceed what was paid', async () => {
  await open();
  const { order } = await boughtTen();
  const office = createOperator(shop.context);
  const outcomes = await Promise.allSettled(
    [1, 2, 3, 4].map((i) => office.refund(clerk, order.id, wish(3_000, `race-${i}`))),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  await shop.drain();
  await shop.expectBalanced();
});

test.each(['lost', 'unheard'] as const)(
  'a refund whose call was %s happens once',
  async (fault) => {
    await open();
    const { order } = await boughtTen();
    shop.bank.faults.push({ method: 'refund', fault }, { method: 'refund', fault });
    await createOperator(shop.context).refund(clerk, order.id, wish(500));
    for (let minute = 0; minute < 4; minute += 1) await shop.tick(60_000);
    const refunds = [...shop.bank.trades.get(order.chargeId)!.refunds.values()];
    expect(refunds).toEqual([{ refundMinor: 500, state: 'succeeded' }]);
    await shop.expectBalanced();
  },
);

test('no answer to a refund is not a no: it is open, and the operator is not called', async () => {
  await open();
  const { order } = await boughtTen();
  shop.bank.faults.push({ method: 'refund', fault: 'lost' });
  const office = createOperator(shop.context);
  await office.refund(clerk, order.id, wish(500));
  await shop.drain();
  expect((await office.order(order.id)).refunds).toMatchObject([{ state: 'intent' }]);
  shop.bank.faults.push({ method: 'refund', fault: 'refused' });
  await shop.tick(60_000);
  expect((await office.order(order.id)).refunds).toMatchObject([{ state: 'abnormal' }]);
  // The provider never heard of it: sent once more, under the same number.
  await shop.tick(24 * 3_600_000);
  expect((await office.order(order.id)).refunds).toMatchObject([{ state: 'succeeded' }]);
  expect(shop.bank.trades.get(order.chargeId)!.refunds.size).toBe(1);
  await shop.expectBalanced();
});

test('what went back stands on the receipt', async () => {
  await open();
  const { someone, order } = await boughtTen();
  await createOperator(shop.context).refund(clerk, order.id, wish(500));
  await shop.drain();
  expect((await shop.studio.receipt(someone.id, order.id)).lines).toEqual([
    { text: 'receipt.topup', amountMinor: 6_900 },
    { text: 'receipt.refund', amountMinor: -500 },
  ]);
});

test('a refund that is still processing is followed up until it is through', async () => {
  await open();
  const { order } = await boughtTen();
  shop.bank.refundsBecome('processing');
  const office = createOperator(shop.context);
  const { id } = await office.refund(clerk, order.id, wish(500));
  await shop.drain();
  expect((await office.order(order.id)).refunds).toMatchObject([{ state: 'processing' }]);
  shop.bank.trades.get(order.chargeId)!.refunds.get(id)!.state = 'abnormal';
  await shop.tick(60_000);
  expect((await office.order(order.id)).refunds).toMatchObject([{ state: 'abnormal' }]);
  expect(shop.log.lines.map((line) => line.event)).toContain('refund.abnormal');
  shop.bank.trades.get(order.chargeId)!.refunds.get(id)!.state = 'succeeded';
  await shop.tick(24 * 3_600_000);
  expect((await office.order(order.id)).refunds).toMatchObject([{ state: 'succeeded' }]);
  await shop.expectBalanced();
});

test('a refund that the provider closed gives the credits back', async () => {
  await open();
  const { someone, order } = await boughtTen();
  shop.bank.refundsBecome('closed');
  await createOperator(shop.context).refund(clerk, order.id, wish());
  await shop.drain();
  expect(await shop.credits(someone)).toBe(10);
  expect(await shop.state(order.id)).toBe('fulfilled');
  await shop.expectBalanced();
});

test('what the provider closed is neither back nor gone: all of it can go back once more', async () => {
  await open();
  const { someone, order } = await boughtTen();
  const office = createOperator(shop.context);
  shop.bank.refundsBecome('closed');
  await office.refund(clerk, order.id, wish(6_900, 'in vain'));
  await shop.drain();
  shop.bank.refundsBecome('succeeded');
  const again = await office.refund(clerk, order.id, wish(undefined, 'again'));
  expect(again).toMatchObject({ amountMinor: 6_900, credits: 10 });
  await shop.drain();
  expect(await shop.state(order.id)).toBe('refunded');
  expect(await shop.credits(someone)).toBe(0);
  expect(shop.bank.takenMinor()).toBe(0);
  await shop.expectBalanced();
});

test('an HD file that cannot be made is refunded by itself', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.orderHd(someone, [photo.id]);
  shop.colorizer.faults.render.push(new PhotoUnreadable('damaged'));
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('refunded');
  expect(shop.news()).toEqual(
    expect.arrayContaining(['order.paid', 'photo.failed', 'order.refunded']),
  );
  expect((await shop.studio.photo(someone.id, photo.id)).unlocked).toBe(false);
  expect(await shop.credits(someone)).toBe(0);
  expect(shop.bank.takenMinor()).toBe(0);
  await shop.expectBalanced();
});

test('of an order for two photos only the one that failed is refunded', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photos = [await shop.readyPhoto(someone), await shop.readyPhoto(someone)];
  const order = await shop.orderHd(
    someone,
    photos.map((photo) => photo.id),
  );
  shop.colorizer.faults.render.push(new PhotoUnreadable('damaged'));
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
  expect(shop.bank.takenMinor()).toBe(990);
  await shop.expectBalanced();
});

test('where the operator prefers it, it stays as credits', async () => {
  await open({ config: { undeliverable: 'credit' } });
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.orderHd(someone, [photo.id]);
  shop.colorizer.faults.render.push(new PhotoUnreadable('damaged'));
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('credited');
  expect(await shop.credits(someone)).toBe(1);
  await shop.expectBalanced();
});

test('a render that fails for the moment is tried again before anything is given back', async () => {
  await open();
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.orderHd(someone, [photo.id]);
  shop.colorizer.faults.render.push(new InferenceFailed('child died'), new Error('a bug'));
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
  await shop.expectBalanced();
});

test('Stars go back whole or not at all', async () => {
  await open();
  const { order } = await boughtTen();
  await shop.store.transaction((tables) => tables.orders.update(order.id, { currency: 'XTR' }));
  const office = createOperator(shop.context);
  for (const part of [1, 6_899, 6_901])
    await expect(office.refund(clerk, order.id, wish(part))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      params: expect.objectContaining({ expected: '6900' }),
    });
  expect(await office.refund(clerk, order.id, wish(6_900))).toMatchObject({ amountMinor: 6_900 });
  await expect(office.refund(clerk, order.id, wish(undefined, 'again'))).rejects.toMatchObject({
    code: 'NOT_POSSIBLE_NOW',
  });
});
