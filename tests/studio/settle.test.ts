import { GatewayUnknown } from '../../src/studio/errors/index.js';
import { createOperator } from '../../src/studio/operator.js';
import { giveUp } from '../../src/studio/orders.js';
import { applyPaid } from '../../src/studio/stages/apply-paid.js';
import { settle } from '../../src/studio/stages/settle.js';
import { queueDue } from '../../src/studio/sweep/due.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';
import { clerk } from '../support/shop.js';

let shop: BankShop;
beforeEach(async () => {
  shop = await openBankShop();
});
afterEach(async () => {
  await shop.close();
});

async function paidUp() {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.orderHd(someone, [photo.id]);
  return { someone, photo, order };
}

test('polling alone settles an order', async () => {
  const { someone, photo, order } = await paidUp();
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('pending');
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
  expect((await shop.studio.photo(someone.id, photo.id)).masterKey).toBeDefined();
  await shop.expectBalanced();
});

test('a notification settles at once, and its repeats change nothing', async () => {
  const { order } = await paidUp();
  shop.bank.pay(order.chargeId);
  const raw = shop.bank.notification(order.chargeId);
  const answers = [await shop.notify(raw), await shop.notify(raw)];
  answers.push(await shop.notify(shop.bank.notification(order.chargeId, {}, 'another')));
  expect(answers).toEqual(['accepted', 'accepted', 'accepted']);
  const asked = shop.bank.calls.length;
  await shop.drain();
  expect(shop.bank.calls.slice(asked)).toEqual([]);
  expect(await shop.state(order.id)).toBe('fulfilled');
  expect(shop.news().filter((kind) => kind === 'order.paid')).toHaveLength(1);
  await shop.expectBalanced();
});

test('notification and poll racing book the money once', async () => {
  const { order } = await paidUp();
  shop.bank.pay(order.chargeId);
  const status = shop.bank.status(order.chargeId);
  const apply = () => applyPaid(shop.context, 'alipay', status, 'poll');
  const outcomes = await Promise.all([apply(), apply(), apply()]);
  expect(outcomes.sort()).toEqual(['exists', 'exists', 'paid']);
  await shop.drain();
  await shop.expectBalanced();
});

test.each([
  ['another amount', { amountMinor: 1 }, 'amount 1, not 990'],
  ['more than was asked for', { amountMinor: 991 }, 'amount 991, not 990'],
  ['no amount', { amountMinor: undefined }, 'amount undefined, not 990'],
  ['another currency', { currency: 'XTR' }, 'currency XTR, not CNY'],
  ['another merchant', { merchantId: 'thief' }, "another merchant's"],
  ['no merchant', { merchantId: undefined }, "another merchant's"],
  ['another app', { appId: 'thief' }, "another app's"],
  ['no app', { appId: undefined }, "another app's"],
  ['no transaction id', { providerId: undefined }, 'no transaction id'],
  ['an unknown order', { outTradeNo: 'ch_unknown' }, 'unknown order'],
] as const)(
  'money with %s is quarantined, not delivered, not dropped',
  async (_, change, reason) => {
    const { order } = await paidUp();
    shop.bank.pay(order.chargeId);
    const status = { ...shop.bank.status(order.chargeId), ...change };
    expect(await applyPaid(shop.context, 'alipay', status, 'poll')).toBe('quarantined');
    expect(await applyPaid(shop.context, 'alipay', status, 'poll')).toBe('quarantined');
    expect(await shop.state(order.id)).toBe('pending');
    const findings = await shop.store.read.inbox.quarantined(10);
    expect(findings).toMatchObject([{ reason, gateway: 'alipay', outTradeNo: status.outTradeNo }]);
    expect(shop.log.lines.filter((l) => l.event === 'charge.quarantined')).toHaveLength(2);
  },
);

test('one transaction of the provider cannot pay two orders', async () => {
  const [first, second] = [await paidUp(), await paidUp()];
  shop.bank.pay(first.order.chargeId);
  shop.bank.pay(second.order.chargeId);
  const { providerId } = shop.bank.status(first.order.chargeId);
  await shop.tick(3_000);
  const stolen = { ...shop.bank.status(second.order.chargeId), providerId };
  expect(await applyPaid(shop.context, 'alipay', stolen, 'poll')).toBe('quarantined');
});

test('a transaction that paid one order is set aside when it is shown for an unpaid one', async () => {
  const [first, second] = [await paidUp(), await paidUp()];
  shop.bank.pay(first.order.chargeId);
  await shop.tick(3_000);
  const { chargeId, id } = second.order;
  const shown = { ...shop.bank.status(first.order.chargeId), outTradeNo: chargeId };
  expect(await applyPaid(shop.context, 'alipay', shown, 'notification')).toBe('quarantined');
  const reason = `transaction belongs to ${first.order.chargeId}`;
  const findings = await shop.store.read.inbox.quarantined(10);
  expect(findings).toMatchObject([{ outTradeNo: chargeId, reason }]);
  expect(await shop.state(id)).toBe('pending');
  expect(await shop.store.read.charges.find(chargeId)).toMatchObject({ providerId: null });
  await shop.expectBalanced();
});

test('a second transaction for a paid order is set aside: it must go back by hand', async () => {
  const { order } = await paidUp();
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  const second = { ...shop.bank.status(order.chargeId), providerId: 'bank-again' };
  expect(await applyPaid(shop.context, 'alipay', second, 'poll')).toBe('quarantined');
  expect(await shop.store.read.inbox.quarantined(10)).toMatchObject([{ reason: 'paid twice' }]);
  expect(await shop.state(order.id)).toBe('fulfilled');
});

test.each(['expired', 'unlocked'] as const)(
  'a photo that is %s when the money comes: it becomes credits, and nothing is made twice',
  async (what) => {
    const { someone, photo, order } = await paidUp();
    if (what === 'expired') {
      await shop.store.transaction((t) => t.photos.update(photo.id, { originalKey: null }));
    } else {
      const wanted = { credits: 1, count: 1, batch: 'test', expiresMs: null };
      const [code] = await createOperator(shop.context).createCodes(clerk, wanted);
      await shop.studio.redeemCreditCode(someone.id, code!);
      await shop.studio.unlock(someone.id, [photo.id], { key: 'credits', chat: someone.chat });
    }
    shop.bank.pay(order.chargeId);
    await shop.tick(3_000);
    expect(await shop.state(order.id)).toBe('credited');
    expect(await shop.credits(someone)).toBe(1);
    expect(shop.news()).not.toContain('photo.failed');
    await shop.expectBalanced();
  },
);

test('an order whose gateway did not answer is offered later, and the customer told', async () => {
  shop.bank.faults.push({ method: 'createCharge', fault: 'unheard' });
  const { order } = await paidUp();
  expect(order.state).toBe('created');
  expect(order.qr).toBeUndefined();
  await shop.tick(15_000);
  expect(await shop.state(order.id)).toBe('pending');
  expect(shop.news()).toContain('order.offer');
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
  await shop.expectBalanced();
});

test('money is found even when nobody ever heard the answer of the gateway', async () => {
  shop.bank.faults.push({ method: 'createCharge', fault: 'unheard' });
  const { order } = await paidUp();
  shop.bank.pay(order.chargeId);
  await shop.tick(15_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
});

test('an order that the gateway refuses is closed', async () => {
  shop.bank.faults.push({ method: 'createCharge', fault: 'refused' });
  await expect(paidUp()).rejects.toMatchObject({ code: 'GATEWAY_REFUSED' });
  const [order] = await shop.store.read.orders.list({ limit: 1 });
  expect(order?.state).toBe('closed');
});

test('money that came although a repeated call was refused becomes credits', async () => {
  shop.bank.faults.push({ method: 'createCharge', fault: 'unheard' });
  const { someone, order } = await paidUp();
  shop.bank.faults.push({ method: 'createCharge', fault: 'refused' });
  await shop.tick(15_000);
  expect(await shop.state(order.id)).toBe('closed');
  // Nobody waits for an answer any more, so nobody heard the no.
  expect(shop.news()).toContain('order.closed');
  shop.bank.pay(order.chargeId);
  await shop.tick(41 * 60_000);
  expect(await shop.state(order.id)).toBe('credited');
  expect(await shop.credits(someone)).toBe(1);
  await shop.expectBalanced();
});

test('an expired order is queried, closed there, queried again, and only then closed', async () => {
  const { order } = await paidUp();
  shop.bank.calls.length = 0;
  await shop.tick(30 * 60_000);
  const calls = shop.bank.calls.map((call) => call.split(' ')[0]);
  // The close itself answers "closed", verified: no third question is needed.
  expect(calls).toEqual(['queryCharge', 'closeCharge']);
  expect(await shop.state(order.id)).toBe('closed');
  expect(shop.news()).toContain('order.closed');
});

test('a customer who pays between query and close is served', async () => {
  const { order } = await paidUp();
  shop.bank.before.set('closeCharge', () => shop.bank.pay(order.chargeId));
  await shop.tick(30 * 60_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
  await shop.expectBalanced();
});

test.each(['open', 'absent'] as const)(
  'paid while it was closed, and the close answered %s: the question after it finds the money',
  async (state) => {
    const { order } = await paidUp();
    const closeCharge = async (outTradeNo: string) => {
      shop.bank.pay(outTradeNo);
      return { outTradeNo, state };
    };
    Object.assign(shop.bank.gateway, { closeCharge });
    await shop.tick(30 * 60_000);
    expect(await shop.state(order.id)).toBe('fulfilled');
    await shop.expectBalanced();
  },
);

test.each([
  ['a millisecond before', -1, 'pending'],
  ['in the very millisecond of', 0, 'closed'],
] as const)('asked %s its expiry (%d ms) an order is %s', async (_, offsetMs, state) => {
  const { order } = await paidUp();
  await shop.tick(3_000);
  const charge = (await shop.store.read.charges.find(order.chargeId))!;
  Object.assign(shop.clock, { now: () => charge.expiresMs + offsetMs });
  await settle(shop.context, {
    ...{ name: 'settle', key: 'at the edge', payload: { chargeId: charge.id } },
    ...{ priority: 1, group: charge.id, attempt: 1, signal: new AbortController().signal },
    ...{ progress: () => {}, answer: () => {} },
  });
  expect(await shop.state(order.id)).toBe(state);
});

test('a provider that does not know is asked again, and nothing is closed on its word', async () => {
  const { order } = await paidUp();
  const { queryCharge } = shop.bank.gateway;
  const vague = async (outTradeNo: string) => ({ outTradeNo, state: 'unknown' as const });
  Object.assign(shop.bank.gateway, { queryCharge: vague });
  shop.bank.calls.length = 0;
  await shop.tick(31 * 60_000);
  expect(shop.bank.calls).toEqual([]);
  expect(await shop.state(order.id)).toBe('pending');
  shop.bank.pay(order.chargeId);
  Object.assign(shop.bank.gateway, { queryCharge });
  await shop.tick(180_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
});

test('what the provider does not close stays open here, until it does', async () => {
  const { order } = await paidUp();
  const { closeCharge } = shop.bank.gateway;
  const idle = async (outTradeNo: string) => ({ outTradeNo, state: 'open' as const });
  Object.assign(shop.bank.gateway, { closeCharge: idle });
  await shop.tick(30 * 60_000);
  expect(await shop.state(order.id)).toBe('closing');
  Object.assign(shop.bank.gateway, { closeCharge });
  await shop.tick(180_000);
  expect(await shop.state(order.id)).toBe('closed');
});

test('two processes that look for what is due ask once', async () => {
  await paidUp();
  shop.skip(15_000);
  const queued = await Promise.all([queueDue(shop.context), queueDue(shop.context)]);
  expect(queued.sort()).toEqual([0, 1]);
});

test('an answer nobody can trust closes nothing', async () => {
  const { order } = await paidUp();
  shop.bank.faults.push({ method: 'closeCharge', fault: 'unheard' });
  await shop.tick(30 * 60_000);
  expect(['closing', 'closed']).toContain(await shop.state(order.id));
  await shop.tick(180_000);
  expect(await shop.state(order.id)).toBe('closed');
});

test('money that arrives after the close becomes credits and the customer is told', async () => {
  const { someone, order } = await paidUp();
  await shop.tick(30 * 60_000);
  expect(await shop.state(order.id)).toBe('closed');
  shop.bank.pay(order.chargeId);
  await shop.tick(60_000);
  expect(await shop.state(order.id)).toBe('credited');
  expect(await shop.credits(someone)).toBe(1);
  const credited = shop.told.find(({ event }) => event.kind === 'order.credited');
  expect(credited?.event).toMatchObject({ reason: 'late', credits: 1 });
  await shop.expectBalanced();
});

test('late money is looked for after one minute to three days, then no more', async () => {
  const { order } = await paidUp();
  await shop.tick(30 * 60_000);
  for (const hours of [0.02, 0.2, 1, 6, 24, 72]) {
    await shop.tick(hours * 3_600_000);
  }
  const charge = await shop.store.read.charges.find(order.chargeId);
  expect(charge).toMatchObject({ state: 'closed', nextPollMs: null });
});

test('a cancelled order is closed at the provider', async () => {
  const { someone, order } = await paidUp();
  await shop.studio.cancelOrder(someone.id, order.id);
  await shop.drain();
  expect(await shop.state(order.id)).toBe('closed');
  expect(shop.bank.trades.get(order.chargeId)?.state).toBe('closed');
});

test('giving up an order that was paid meanwhile changes nothing', async () => {
  const { order } = await paidUp();
  const seen = await shop.store.read.orders.find(order.id);
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  await shop.store.transaction((tables) => giveUp(tables, shop.context, seen!));
  expect(await shop.state(order.id)).toBe('fulfilled');
  expect(await shop.store.read.charges.find(order.chargeId)).toMatchObject({ nextPollMs: null });
});

test('an open order is given up when everything is erased', async () => {
  const { someone, order } = await paidUp();
  await shop.studio.erase(someone.id);
  await shop.drain();
  expect(await shop.state(order.id)).toBe('closed');
  expect(shop.bank.trades.get(order.chargeId)?.state).toBe('closed');
});

test.each([
  ['while it is given up', 0],
  ['after it was closed', 120_000],
])('who erased everything and pays %s gets the money back', async (_, laterMs) => {
  const { someone, order } = await paidUp();
  await shop.studio.erase(someone.id);
  if (laterMs > 0) await shop.drain();
  shop.bank.pay(order.chargeId);
  await shop.tick(laterMs);
  await shop.tick(60_000);
  expect(await shop.state(order.id)).toBe('refunded');
  expect(shop.bank.takenMinor()).toBe(0);
  expect((await shop.store.read.ledger.account(`customer:${someone.id}:credits`))?.balance).toBe(0);
  await shop.expectBalanced();
});

test('a photo deleted before the money came turns into credits', async () => {
  const { someone, photo, order } = await paidUp();
  await shop.studio.deletePhoto(someone.id, photo.id);
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.state(order.id)).toBe('credited');
  expect(await shop.credits(someone)).toBe(1);
  await shop.expectBalanced();
});

test('several photos are one order, one payment, one file each', async () => {
  const someone = await shop.newCustomer();
  const photos = [await shop.readyPhoto(someone), await shop.readyPhoto(someone)];
  const ids = photos.map((photo) => photo.id);
  const order = await shop.orderHd(someone, ids);
  expect(order).toMatchObject({ amountMinor: 1980, credits: 2, photoIds: ids.sort() });
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  for (const id of ids) expect((await shop.studio.photo(someone.id, id)).unlocked).toBe(true);
  expect(await shop.state(order.id)).toBe('fulfilled');
  await shop.expectBalanced();
});

test('bought credits unlock without another payment', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.topUp(someone);
  shop.bank.pay(order.chargeId);
  await shop.tick(3_000);
  expect(await shop.credits(someone)).toBe(10);
  const wish = { key: 'k', chat: someone.chat };
  const answer = await shop.studio.unlock(someone.id, [photo.id], wish);
  expect(answer).toEqual({ status: 'unlocked' });
  await shop.drain();
  expect(await shop.credits(someone)).toBe(9);
  expect(await shop.studio.receipt(someone.id, order.id)).toMatchObject({
    lines: [{ text: 'receipt.topup', amountMinor: 6900 }],
  });
  await shop.expectBalanced();
});

test('a pack without a price in Stars is not sold for Stars', async () => {
  const someone = await shop.newCustomer();
  Object.assign(shop.bank.gateway, { currency: 'XTR' });
  await expect(shop.topUp(someone, 'one')).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    params: { field: 'pack', expected: 'ten', found: 'one' },
  });
  expect(await shop.topUp(someone, 'ten')).toMatchObject({ amountMinor: 500, currency: 'XTR' });
});

test('one photo named twice is one photo to pay', async () => {
  const someone = await shop.newCustomer();
  const photo = await shop.readyPhoto(someone);
  const order = await shop.orderHd(someone, [photo.id, photo.id]);
  expect(order).toMatchObject({ amountMinor: 990, credits: 1, photoIds: [photo.id] });
});

test('a way to pay that works elsewhere is not sold on a channel that does not offer it', async () => {
  const { someone, photo } = await paidUp();
  const chat = { channel: 'telegram', chatId: 't' } as const;
  await expect(
    shop.studio.unlock(someone.id, [photo.id], { key: 'elsewhere', chat, method: 'alipay' }),
  ).rejects.toMatchObject({ code: 'METHOD_UNAVAILABLE' });
});

test('where nothing can be paid with, that is what is said', async () => {
  const { someone, photo } = await paidUp();
  const chat = { channel: 'wechat', chatId: 'w' } as const;
  await expect(
    shop.studio.unlock(someone.id, [photo.id], { key: 'no-way', chat }),
  ).rejects.toMatchObject({ messageKey: 'money.nothingToPayWith' });
});

test('the same key asks for the same thing or is refused', async () => {
  const { someone, photo } = await paidUp();
  const other = await shop.readyPhoto(someone);
  const wish = { key: 'twice', chat: someone.chat };
  const first = await shop.studio.unlock(someone.id, [photo.id], wish);
  expect(await shop.studio.unlock(someone.id, [photo.id], wish)).toEqual(first);
  await expect(shop.studio.unlock(someone.id, [other.id], wish)).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
  });
});

test('only an invoice that can still be paid is approved', async () => {
  const { order } = await paidUp();
  const ask = (amount = 990, currency = 'CNY', id = order.chargeId) =>
    shop.studio.approvePreCheckout(id, amount, currency);
  expect(await ask()).toBe('approved');
  expect(await ask(991)).toBe('over');
  expect(await ask(990, 'XTR')).toBe('over');
  expect(await ask(990, 'CNY', 'ch_nobody')).toBe('over');
  shop.skip(31 * 60_000);
  expect(await ask()).toBe('over');
});

test('a photo that is bought or deleted is not sold by an older invoice', async () => {
  const { someone, photo, order } = await paidUp();
  const other = await shop.readyPhoto(someone);
  const both = await shop.orderHd(someone, [photo.id, other.id]);
  const ask = ({ chargeId, amountMinor }: typeof both) =>
    shop.studio.approvePreCheckout(chargeId, amountMinor, 'CNY');
  expect(await ask(both)).toBe('approved');
  shop.bank.pay(order.chargeId);
  await shop.tick(5_000);
  expect(await ask(both)).toBe('bought');
  expect(await ask(order)).toBe('bought');
  const rest = await shop.orderHd(someone, [other.id]);
  expect(await ask(rest)).toBe('approved');
  await shop.studio.deletePhoto(someone.id, other.id);
  expect(await ask(rest)).toBe('over');
});

test('what was bought otherwise is taken back without a word of expiry', async () => {
  const { someone, photo, order } = await paidUp();
  const other = await shop.readyPhoto(someone);
  const both = await shop.orderHd(someone, [photo.id, other.id]);
  shop.bank.pay(order.chargeId);
  await shop.tick(5_000);
  for (let minute = 0; minute < 3; minute += 1) await shop.tick(60_000);
  expect(await shop.state(both.id)).toBe('closed');
  expect(shop.told.map(({ event }) => event.kind)).not.toContain('order.closed');
});

test('a notification for a gateway that is not set up is rejected', async () => {
  const raw = { headers: {}, body: Buffer.from('') };
  expect(await shop.studio.receiveNotification('stars', raw)).toBe('rejected');
});

test('a gateway that is away for hours piles up no jobs and loses nothing', async () => {
  const { order } = await paidUp();
  const queryCharge = shop.bank.gateway.queryCharge;
  const away = async () => {
    throw new GatewayUnknown('alipay', 'away');
  };
  Object.assign(shop.bank.gateway, { queryCharge: away });
  for (let minute = 0; minute < 20; minute += 1) await shop.tick(60_000);
  expect((await shop.queue.counts()).dead).toBe(0);
  shop.bank.pay(order.chargeId);
  Object.assign(shop.bank.gateway, { queryCharge });
  await shop.tick(60_000);
  expect(await shop.state(order.id)).toBe('fulfilled');
});
