import type { Store, Tables } from '../../../src/studio/ports/store.js';
import { everyMs, nth, openedMs } from '../../support/grown-database.js';

/** Every method of every table, called as the product calls it: one forgotten does not compile. */
export type Drive = {
  readonly [T in keyof Tables]: {
    readonly [M in keyof Tables[T]]: (table: Tables[T]) => Promise<unknown>;
  };
};

/** @param photos rows that the database was filled with. */
export async function driveOf({ read }: Store, photos: number): Promise<Drive> {
  const nowMs = openedMs + photos * everyMs;
  const dayMs = nowMs - 86_400_000;
  const photo = (await read.photos.find(nth('ph', 5)))!;
  const look = (await read.looks.find(nth('lo', 5)))!;
  const customer = (await read.customers.find(nth('cu', 5)))!;
  const order = (await read.orders.find(nth('or', 5)))!;
  const charge = (await read.charges.find(nth('ch', 5)))!;
  const refund = (await read.refunds.find(nth('re', 1)))!;
  const hold = (await read.holds.find(nth('ho', 5)))!;
  const job = { name: 'intake', key: 'new', priority: 5, group: 'g' } as const;
  const news = { gateway: 'alipay', key: 'new', outTradeNo: charge.id, status: {} } as const;
  const line = { id: 'new', photoId: photo.id, event: 'photo.received', details: {}, atMs: 1 };
  const logged = { key: 'new', atMs: 1, door: 'cli', actor: 'a', action: 'job' } as const;
  const transfer = {
    id: 'new',
    key: 'new',
    from: 'house:sold',
    amount: 1,
    asset: 'CREDIT',
  } as const;
  const question: Parameters<Tables['questions']['add']>[0] = {
    ...{ key: 'new', customerId: customer.id, subject: 'question', text: '', orderId: null },
    ...{ createdMs: 1, answeredMs: null },
  };
  const waiver = {
    ...{ key: 'new', customerId: customer.id, photoId: 'ph_1', asked: 'customer' as const },
    ...{ language: 'en' as const, atMs: 1 },
  } as const;
  const credits = `customer:${customer.id}:credits`;
  const rows = <R extends { id: string }>(row: R, change: Partial<R>) => {
    type Rows = {
      insert(row: R): Promise<void>;
      find(id: string): Promise<unknown>;
      lock(id: string): Promise<unknown>;
      update(id: string, change: Partial<R>): Promise<void>;
    };
    return {
      insert: (table: Rows) => table.insert(row),
      find: (table: Rows) => table.find(row.id),
      lock: (table: Rows) => table.lock(row.id),
      update: (table: Rows) => table.update(row.id, change),
    };
  };
  return {
    customers: {
      ...rows({ ...customer, id: 'new', code: 'new' }, { language: 'zh-CN' }),
      byIdentity: (table) => table.byIdentity('web', 'u2'),
      byCode: (table) => table.byCode(customer.code),
      addIdentity: (table) =>
        table.addIdentity({
          ...{ channel: 'web', userId: 'new', chatId: 'c', customerId: customer.id, seenMs: 1 },
        }),
      touchIdentity: (table) => table.touchIdentity('web', 'u2', 'c', 1),
      identities: (table) => table.identities(customer.id),
      dropIdentities: (table) => table.dropIdentities(customer.id),
      move: (table) => table.move(customer.id, nth('cu', 6)),
    },
    codes: {
      addLink: (table) => table.addLink('new', customer.id, 1),
      takeLink: (table) => table.takeLink('hash3', 1),
      addCredit: (table) => table.addCredit('new', 'b', 1, null),
      takeCredit: (table) => table.takeCredit('hash3', customer.id, 1),
    },
    photos: {
      ...rows({ ...photo, id: 'new', key: 'new' }, { state: 'ready', updatedMs: 1 }),
      byKey: (table) => table.byKey(customer.id, photo.key),
      byOriginal: (table) => table.byOriginal(customer.id, photo.originalKey!),
      list: async (table) => {
        await table.list(customer.id, 20);
        await table.list(customer.id, 20, nth('ph', 99));
      },
      countSince: (table) => table.countSince(customer.id, dayMs),
      countWaiting: async (table) => {
        await table.countWaiting({ customerId: customer.id });
        await table.countWaiting({ beforeMs: nowMs });
        await table.countWaiting({});
      },
      idle: (table) => table.idle(nowMs, 200),
      newestMs: (table) => table.newestMs(nowMs),
      usesBlob: (table) => table.usesBlob('nothing'),
      withExpired: async (table) => {
        for (const kind of ['original', 'master', 'chroma', 'preview'] as const) {
          await table.withExpired(kind, dayMs, 50);
          await table.withExpired(kind, dayMs, 50, { ms: openedMs, id: 'ph' });
        }
      },
    },
    looks: {
      ...rows({ ...look, id: 'new', index: 9 }, { chromaKey: null }),
      ofPhoto: (table) => table.ofPhoto(photo.id),
    },
    timeline: {
      add: (table) => table.add([line as never]),
      ofPhoto: (table) => table.ofPhoto(photo.id),
      drop: (table) => table.drop(photo.id),
    },
    orders: {
      ...rows({ ...order, id: 'new', payToken: 'new' }, { state: 'fulfilled' }),
      byPayToken: (table) => table.byPayToken(order.payToken),
      list: async (table) => {
        await table.list({ customerId: customer.id, limit: 20 });
        await table.list({ limit: 20 });
      },
      open: (table) => table.open(customer.id),
      setPhotos: (table) => table.setPhotos(order.id, [nth('ph', 9)]),
      photosOf: (table) => table.photosOf(order.id),
      hasPaid: (table) => table.hasPaid(customer.id),
      wish: (table) => table.wish(customer.id, 'w5'),
      addWish: (table) =>
        table.addWish({ customerId: customer.id, key: 'new', request: '{}', orderId: null }),
    },
    charges: {
      ...rows({ ...charge, id: 'new', orderId: order.id, providerId: 'new' }, { polls: 2 }),
      // An order has one charge: the new one takes its place.
      insert: (table) => table.insert({ ...charge, id: 'n', orderId: 'n' }).catch(() => {}),
      ofOrder: (table) => table.ofOrder(order.id),
      byProvider: (table) => table.byProvider('alipay', 'p5'),
      due: (table) => table.due(nowMs, 200),
    },
    refunds: {
      ...rows({ ...refund, id: 'new', key: 'new' }, { polls: 2 }),
      byKey: (table) => table.byKey(refund.orderId, refund.key),
      ofOrder: (table) => table.ofOrder(refund.orderId),
      due: (table) => table.due(nowMs, 200),
    },
    holds: {
      ...rows({ ...hold, id: 'new', photoId: nth('ph', photos - 1) }, { settledMs: 1 }),
      active: (table) => table.active(photo.id),
      ofOrder: (table) => table.ofOrder(order.id),
      held: (table) => table.held(nowMs, 200),
    },
    ledger: {
      openAccount: (table) => table.openAccount({ id: 'new', asset: 'CREDIT', side: 'holder' }),
      account: (table) => table.account(credits),
      add: (table) => table.add(credits, 1),
      insert: (table) => table.insert({ ...transfer, to: credits, atMs: 1 }),
      byKey: (table) => table.byKey(`paid:${charge.id}`),
      ofAccount: async (table) => {
        await table.ofAccount(credits, 20);
        await table.ofAccount('house:sold', 20);
      },
    },
    inbox: {
      add: (table) => table.add({ ...news, outRefundNo: null, receivedMs: 1, handledMs: null }),
      unhandled: async (table) => {
        await table.unhandled({ limit: 200 });
        await table.unhandled({ outTradeNo: charge.id, limit: 200 });
      },
      handled: (table) => table.handled('alipay', 'n5', 1),
      quarantine: (table) =>
        table.quarantine({ ...news, id: 'new', reason: 'r', atMs: 1, resolvedMs: null }),
      quarantined: (table) => table.quarantined(200),
      resolve: (table) => table.resolve(nth('qu', 1), 1),
    },
    outbox: {
      add: (table) => table.add({ ...job, payload: { photoId: photo.id } }, 1),
      pending: (table) => table.pending(200),
      relayed: (table) => table.relayed([`restore:${nth('ph', 3)}`], 1),
      done: (table) => table.done([`restore:${nth('ph', 3)}`]),
      find: (table) => table.find(`restore:${nth('ph', 3)}`),
      overdue: (table) => table.overdue(5, nowMs, 200),
      backlog: (table) => table.backlog(nowMs),
    },
    questions: {
      add: (table) => table.add(question),
      waiting: (table) => table.waiting(20),
      answered: (table) => table.answered(customer.id, 1),
    },
    labelWaivers: {
      add: (table) => table.add(waiver),
      ofCustomer: (table) => table.ofCustomer(customer.id),
      drop: (table) => table.drop(1),
    },
    settings: {
      get: (table) => table.get('name'),
      set: (table) => table.set('name', 'value'),
    },
    operatorLog: {
      add: (table) => table.add({ ...logged, subject: '', details: {} }),
      list: (table) => table.list(20),
    },
    reports: {
      photosSince: (table) => table.photosSince(dayMs),
      customersSince: (table) => table.customersSince(dayMs),
      paidSince: (table) => table.paidSince(dayMs),
      chatsSince: (table) => table.chatsSince('web', dayMs, 100),
      movements: (table) => table.movements('alipay', dayMs, nowMs),
    },
  };
}
