import type { DatabaseConfig } from '../../src/storage/database.js';
import type { Job } from '../../src/studio/jobs.js';
import { createOperator } from '../../src/studio/operator.js';
import { applyPaid } from '../../src/studio/stages/apply-paid.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';
import { clerk } from '../support/shop.js';

const rounds = 6;

/** Money that comes, goes back and is spent at the same moment. */
export function moneyRaces(
  database: () => Promise<{ config: Partial<DatabaseConfig>; stop: () => Promise<void> }>,
): void {
  let shop: BankShop;
  let stop: () => Promise<void>;
  beforeEach(async () => {
    const given = await database();
    stop = given.stop;
    shop = await openBankShop({ database: given.config });
  });
  afterEach(async () => {
    await shop.close();
    await stop();
  });

  async function ordered() {
    const someone = await shop.newCustomer();
    const photos = [await shop.readyPhoto(someone), await shop.readyPhoto(someone)];
    const ids = photos.map((photo) => photo.id);
    const order = await shop.orderHd(someone, ids);
    shop.bank.pay(order.chargeId);
    const pay = () =>
      applyPaid(shop.context, 'alipay', shop.bank.status(order.chargeId), 'notification');
    return { someone, ids, order, pay };
  }

  /** The HD files that wait to be made, each by a worker of its own. */
  async function makeFiles(): Promise<void> {
    const jobs = await shop.store.read.outbox.pending(1_000);
    const unlocks = jobs.filter((job) => job.name === 'unlock');
    const run = (job: (typeof jobs)[number]) => {
      const { signal } = new AbortController();
      const live = { ...job, attempt: 1, signal, progress: () => {}, answer: () => {} };
      // A file that vanishes under a worker is tried again by the queue, and given up then.
      return shop.pipeline.handlers.unlock(live as Job<'unlock'>).catch(() => {});
    };
    await Promise.all(unlocks.map(run));
  }

  const settled = async () => {
    for (let minute = 0; minute < 3; minute += 1) await shop.tick(60_000);
  };

  test('refunded while its files are made: either way the money is back, the books are right', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { someone, ids, order, pay } = await ordered();
      await pay();
      const wish = { key: 'all', reason: 'asked for it' };
      const refund = () => createOperator(shop.context).refund(clerk, order.id, wish);
      await Promise.all([makeFiles(), refund(), refund()]);
      await settled();
      expect(await shop.state(order.id)).toBe('refunded');
      expect(await shop.credits(someone)).toBe(0);
      const views = await Promise.all(ids.map((id) => shop.studio.photo(someone.id, id)));
      for (const { unlocked, masterKey } of views) expect(masterKey !== undefined).toBe(unlocked);
      await shop.expectBalanced();
    }
    expect(shop.bank.takenMinor()).toBe(0);
  });

  test('deleted while its files are made: no order is forgotten', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { someone, ids, order, pay } = await ordered();
      await pay();
      await Promise.all([makeFiles(), ...ids.map((id) => shop.studio.deletePhoto(someone.id, id))]);
      await settled();
      expect(['fulfilled', 'refunded']).toContain(await shop.state(order.id));
      expect(await shop.credits(someone)).toBe(0);
      await shop.expectBalanced();
    }
  });

  test('wanted many times at once: one order, one code, whatever the keys', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const someone = await shop.newCustomer();
      const ids = [(await shop.readyPhoto(someone)).id, (await shop.readyPhoto(someone)).id];
      const tap = (i: number) =>
        shop.studio.unlock(someone.id, i % 2 ? ids : [...ids].reverse(), {
          ...{ key: `tap-${i}`, chat: someone.chat, method: 'alipay' },
        });
      const taps = await Promise.all(Array.from({ length: 12 }, (_, i) => tap(i)));
      const orders = taps.map((one) => one.status === 'payment' && one.order.id);
      expect(new Set(orders).size).toBe(1);
      expect(await shop.store.read.orders.list({ customerId: someone.id, limit: 50 })).toHaveLength(
        1,
      );
      // Its time over, it is no order for anybody any more.
      shop.skip(31 * 60_000);
      const later = await tap(12);
      expect(later.status === 'payment' && later.order.id).not.toBe(orders[0]);
    }
  });

  test('paid while it is wanted again: no order is left with which to pay it twice', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { someone, ids, order, pay } = await ordered();
      const [first] = ids as [string];
      const again = (photoIds: string[], key: string) =>
        shop.studio.unlock(someone.id, photoIds, { key, chat: someone.chat });
      await Promise.all([again([first], 'one'), pay(), again(ids, 'all'), again([first], 'two')]);
      const open = await shop.store.read.orders.open(someone.id);
      for (const { expiresMs } of open) expect(expiresMs).toBeLessThanOrEqual(shop.clock.now());
      expect(await again(ids, 'later')).toEqual({ status: 'unlocked' });
      await settled();
      expect(await shop.state(order.id)).toBe('fulfilled');
      const orders = await shop.store.read.orders.list({ customerId: someone.id, limit: 50 });
      for (const one of orders) if (one.id !== order.id) expect(one.state).toBe('closed');
      expect(await shop.credits(someone)).toBe(0);
      await shop.expectBalanced();
    }
  });

  test('paid, given up and erased at once: nobody pays for nothing', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { someone, order, pay } = await ordered();
      const giveUp = () => shop.studio.cancelOrder(someone.id, order.id).catch((e) => e.code);
      await Promise.all([pay(), giveUp(), shop.studio.erase(someone.id), pay()]);
      await settled();
      expect(await shop.state(order.id)).toBe('refunded');
      await shop.expectBalanced();
    }
    expect(shop.bank.takenMinor()).toBe(0);
  });
}
