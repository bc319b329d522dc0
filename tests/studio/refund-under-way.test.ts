import { PhotoUnreadable } from '../../src/studio/errors/index.js';
import { createOperator } from '../../src/studio/operator.js';
import { applyPaid } from '../../src/studio/stages/apply-paid.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';
import type { ShopOptions } from '../support/shop.js';
import { clerk } from '../support/shop.js';

let shop: BankShop;
afterEach(() => shop.close());

/** Paid, and the HD files are about to be made. */
async function paidHd(photoCount: number, options: ShopOptions = {}) {
  shop = await openBankShop(options);
  const someone = await shop.newCustomer();
  const photos = [];
  for (let i = 0; i < photoCount; i += 1) photos.push(await shop.readyPhoto(someone));
  const ids = photos.map((photo) => photo.id);
  const order = await shop.orderHd(someone, ids);
  shop.bank.pay(order.chargeId);
  await applyPaid(shop.context, 'alipay', shop.bank.status(order.chargeId), 'poll');
  expect(await shop.state(order.id)).toBe('paid');
  return { someone, ids, order };
}

const refund = (orderId: string, amountMinor?: number, key = `key-${amountMinor}`) =>
  createOperator(shop.context).refund(clerk, orderId, { key, amountMinor, reason: 'asked for it' });

test('who gets all the money back gets no file, and keeps no credits', async () => {
  const { someone, ids, order } = await paidHd(2);
  await refund(order.id);
  await shop.drain();
  expect(await shop.state(order.id)).toBe('refunded');
  for (const id of ids) expect((await shop.studio.photo(someone.id, id)).unlocked).toBe(false);
  expect(await shop.credits(someone)).toBe(0);
  expect(shop.bank.takenMinor()).toBe(0);
  await shop.expectBalanced();
});

test('the last part of a refund calls off what is still in the making', async () => {
  const { someone, ids, order } = await paidHd(1);
  await refund(order.id, 400);
  await refund(order.id, 590);
  await shop.drain();
  expect((await shop.studio.photo(someone.id, ids[0]!)).unlocked).toBe(false);
  expect(await shop.state(order.id)).toBe('refunded');
  expect(await shop.credits(someone)).toBe(0);
  await shop.expectBalanced();
});

test('a refund that the provider closes afterwards leaves the credits', async () => {
  const { someone, order } = await paidHd(1);
  shop.bank.refundsBecome('closed');
  await refund(order.id);
  await shop.drain();
  expect(await shop.state(order.id)).toBe('credited');
  expect(await shop.credits(someone)).toBe(1);
  await shop.expectBalanced();
});

test('part went back already, then the file cannot be made: the rest goes back', async () => {
  const { someone, order } = await paidHd(1);
  shop.colorizer.faults.render.push(new PhotoUnreadable('damaged'));
  await refund(order.id, 500);
  await shop.drain();
  expect(await shop.state(order.id)).toBe('refunded');
  expect(await shop.credits(someone)).toBe(0);
  expect(shop.bank.takenMinor()).toBe(0);
  await shop.expectBalanced();
});

test('part of a payment in Stars cannot go back: it stays as credits', async () => {
  const { someone, order } = await paidHd(2);
  const currency = (currency: 'XTR' | 'CNY') =>
    shop.store.transaction((tables) => tables.orders.update(order.id, { currency }));
  await currency('XTR');
  shop.colorizer.faults.render.push(new PhotoUnreadable('damaged'));
  await shop.drain();
  expect(await shop.state(order.id)).toBe('fulfilled');
  expect(await shop.credits(someone)).toBe(1);
  const credited = shop.told.find(({ event }) => event.kind === 'order.credited');
  expect(credited?.event).toMatchObject({ credits: 1, reason: 'failed' });
  await currency('CNY');
  await shop.expectBalanced();
});

test.each([
  ['refund', 'refunded', 0],
  ['credit', 'credited', 1],
] as const)(
  'a photo deleted while its HD is in the making, by rule %s: %s',
  async (undeliverable, state, credits) => {
    const { someone, ids, order } = await paidHd(1, { config: { undeliverable } });
    await shop.studio.deletePhoto(someone.id, ids[0]!);
    await shop.drain();
    expect(await shop.state(order.id)).toBe(state);
    expect(await shop.credits(someone)).toBe(credits);
    expect(shop.bank.takenMinor()).toBe(990 * credits);
    await shop.expectBalanced();
  },
);

test('money back for a file that was handed over leaves credits of other orders alone', async () => {
  const { someone, order } = await paidHd(1);
  const pack = await shop.topUp(someone);
  shop.bank.pay(pack.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
  await refund(order.id, 300);
  await refund(order.id);
  await shop.drain();
  expect(await shop.state(order.id)).toBe('refunded');
  expect(await shop.credits(someone)).toBe(10);
  await shop.expectBalanced();
});

test('parts take no more credits than were bought', async () => {
  shop = await openBankShop();
  const someone = await shop.newCustomer();
  const [first, second] = [await shop.topUp(someone), await shop.topUp(someone)];
  for (const { chargeId } of [first, second]) shop.bank.pay(chargeId);
  await shop.tick(3_000);
  for (const part of [2_000, 2_300, 2_600]) await refund(first.id, part);
  await shop.drain();
  expect(await shop.state(first.id)).toBe('refunded');
  expect(await shop.credits(someone)).toBe(10);
  await shop.expectBalanced();
});

test('the page hears of a refund at once', async () => {
  const { someone, order } = await paidHd(1);
  const heard: string[] = [];
  shop.studio.watch(someone.id, ({ kind }) => heard.push(kind));
  await refund(order.id);
  await shop.drain();
  expect(heard).toEqual(expect.arrayContaining(['order', 'credits']));
});
