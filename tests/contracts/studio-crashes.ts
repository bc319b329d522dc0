import { auditLedger } from '../../src/storage/audit.js';
import type { DatabaseConfig } from '../../src/storage/database.js';
import type { Store } from '../../src/studio/ports/store.js';
import { sweepOverdue } from '../../src/studio/sweep/overdue.js';
import { sweepStuck } from '../../src/studio/sweep/stuck.js';
import { type BankShop, openBankShop } from '../support/bank-shop.js';
import { Killed } from '../support/direct-queue.js';

type Someone = Awaited<ReturnType<BankShop['newCustomer']>>;

/** Small seeded generator, 0..1. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** A process that dies before or after a transaction, now and then, while `armed`. */
function mortal(chance: () => number) {
  const life = { armed: false, deaths: 0 };
  const die = () => {
    if (!life.armed || chance() > 0.06) return;
    life.deaths += 1;
    throw new Killed();
  };
  const wrap = (store: Store): Store => ({
    ...store,
    transaction: async (work) => {
      die();
      const result = await store.transaction(work);
      die();
      return result;
    },
  });
  return { life, wrap, die };
}

const survive = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
};

/** Customers upload, order, pay and unlock while the process dies again and again. */
async function trade(shop: BankShop, someone: Someone, chance: () => number): Promise<void> {
  let wishes = 0;
  for (let round = 0; round < 3; round += 1) {
    await survive(() => shop.submit(someone));
    await survive(() => shop.tick(1_000));
    for (const photo of await shop.studio.photos(someone.id, { limit: 10 })) {
      if (photo.status === 'ready' && chance() < 0.7) {
        wishes += 1;
        const wish = { key: `wish-${wishes}`, chat: someone.chat };
        await survive(() => shop.studio.unlock(someone.id, [photo.id], wish));
      }
    }
    for (const order of await shop.studio.orders(someone.id, 20)) {
      const charge = await shop.store.read.charges.ofOrder(order.id);
      if (charge && shop.bank.trades.has(charge.id) && chance() < 0.7) {
        shop.bank.pay(charge.id);
        await survive(() => shop.notify(shop.bank.notification(charge.id)));
      }
    }
    await survive(() => shop.tick(3_000));
    if (chance() < 0.3) shop.queue.flush();
  }
}

/** Time passes until nothing is left to do. */
async function settleDown(shop: BankShop): Promise<void> {
  for (let hour = 0; hour < 8; hour += 1) {
    await shop.tick(150_000);
    await sweepOverdue(shop.context);
    await sweepStuck(shop.context);
    await shop.tick(20 * 60_000);
  }
}

/**
 * Kill the process at any line, with a queue that forgets: nothing is lost or doubled.
 * @param database where the shop's tables are.
 */
export function studioCrashes(
  seeds: readonly number[],
  database: () => Promise<Partial<DatabaseConfig>>,
): void {
  test.each(seeds)('killed at any line, nothing is lost or doubled (seed %i)', async (seed) => {
    const chance = random(seed * 7_919);
    const { life, wrap, die } = mortal(chance);
    const shop = await openBankShop({ wrap, database: await database() });
    shop.bank.before.set('createCharge', die);
    shop.bank.before.set('queryCharge', die);
    for (let customer = 0; customer < 3; customer += 1) {
      const someone = await shop.newCustomer();
      life.armed = true;
      await survive(() => trade(shop, someone, chance));
      life.armed = false;
    }
    await settleDown(shop);
    expect(life.deaths).toBeGreaterThan(3);
    await expectAllSettled(shop);
    await shop.close();
  });
}

async function expectAllSettled(shop: BankShop): Promise<void> {
  expect(await auditLedger(shop.database.raw)).toEqual([]);
  const orders = await shop.store.read.orders.list({ limit: 1_000 });
  const final = ['fulfilled', 'credited', 'refunded', 'closed'];
  expect(orders.filter(({ state }) => !final.includes(state))).toEqual([]);
  expect(await shop.store.read.photos.idle(shop.clock.now() + 1, 100)).toEqual([]);
  expect(await shop.store.read.holds.held(shop.clock.now() + 1, 100)).toEqual([]);
  expect(await shop.store.read.outbox.pending(100)).toEqual([]);
  await shop.expectBalanced();
}
