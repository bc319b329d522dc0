import { auditLedger } from '../../src/storage/audit.js';
import { queueDue } from '../../src/studio/sweep/due.js';
import { createBank } from '../emulators/bank.js';
import { openShop, type ShopOptions, shopConfig } from './shop.js';

/** A shop whose only gateway is the bank; its poller runs with `tick`. */
export async function openBankShop(options: ShopOptions = {}) {
  const time = { now: () => Date.now() };
  const bank = createBank({ clock: { now: () => time.now() } });
  const config = { ...shopConfig, methods: { web: ['alipay'], telegram: [], wechat: [] } } as const;
  const shop = await openShop({
    ...options,
    gateway: bank.gateway,
    config: { ...config, ...options.config },
  });
  time.now = () => shop.clock.now();
  type Someone = Awaited<ReturnType<typeof shop.newCustomer>>;
  let wishes = 0;

  return {
    ...shop,
    bank,
    /** Time passes; whatever is due is asked and done. */
    tick: async (ms = 0) => {
      shop.skip(ms);
      await queueDue(shop.context);
      await shop.drain();
    },
    /** HD wanted without credits: an order to pay. */
    orderHd: async (someone: Someone, photoIds: readonly string[]) => {
      wishes += 1;
      const options = { key: `wish-${wishes}`, chat: someone.chat };
      const wish = await shop.studio.unlock(someone.id, photoIds, options);
      if (wish.status !== 'payment') throw new Error('credits were there');
      const charge = await shop.store.read.charges.ofOrder(wish.order.id);
      return { ...wish.order, chargeId: charge!.id };
    },
    topUp: async (someone: Someone, pack = 'ten') => {
      wishes += 1;
      const method = 'alipay' as const;
      const options = { key: `wish-${wishes}`, chat: someone.chat, method };
      const order = await shop.studio.topUp(someone.id, pack, options);
      const charge = await shop.store.read.charges.ofOrder(order.id);
      return { ...order, chargeId: charge!.id };
    },
    notify: (raw: ReturnType<typeof bank.notification>) =>
      shop.studio.receiveNotification('alipay', raw),
    state: async (orderId: string) => (await shop.store.read.orders.find(orderId))!.state,
    credits: async (someone: Someone) => (await shop.studio.profile(someone.id)).credits,
    /** Books proven, and the bank's money equals ours to the fen. */
    expectBalanced: async () => {
      expect(await auditLedger(shop.database.raw)).toEqual([]);
      const revenue = await shop.store.read.ledger.account('house:revenue:CNY');
      expect(revenue?.balance ?? 0).toBe(bank.takenMinor());
    },
  };
}

export type BankShop = Awaited<ReturnType<typeof openBankShop>>;
