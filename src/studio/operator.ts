import { createCreditCodes, joinCustomers } from './codes.js';
import type { Context } from './context.js';
import { current } from './customers.js';
import { erase } from './delete-photos.js';
import { NotFound } from './errors/index.js';
import type { TimelineEntry } from './jobs.js';
import { priorities } from './jobs.js';
import { orderView } from './order-views.js';
import { tell } from './outbox.js';
import { photoView } from './photo-views.js';
import type { Language } from './ports/basics.js';
import type { OrderView, PhotoView } from './ports/studio.js';
import type { ChargeRecord, OrderRecord, QuarantineRecord, RefundRecord } from './records.js';
import { requestRefund } from './request-refund.js';
import { pausedSetting } from './submit-photo.js';

/** What the operator may do, from the command line and from the operator's own chat. */
export interface Operator {
  refund(
    orderId: string,
    wish: { key: string; amountMinor?: number; reason: string },
  ): Promise<RefundRecord>;
  photo(photoId: string): Promise<{ view: PhotoView; timeline: readonly TimelineEntry[] }>;
  /** By id or by the code that customers quote. */
  erase(customer: string): Promise<void>;
  orders(limit: number): Promise<readonly OrderRecord[]>;
  order(orderId: string): Promise<OperatorOrder>;
  quarantine(limit: number): Promise<readonly QuarantineRecord[]>;
  /** The finding was looked into and dealt with. */
  resolveQuarantine(id: string): Promise<void>;
  createCodes(wanted: Parameters<typeof createCreditCodes>[1]): Promise<string[]>;
  pauseIntake(paused: boolean): Promise<void>;
  intakePaused(): Promise<boolean>;
  /**
   * Somebody came back under a new contact id: what both have becomes the older customer's.
   * @returns the customer's language.
   */
  join(olderCode: string, newerCode: string): Promise<Language>;
  /** An answer to a customer's question, by the code they quoted. */
  answer(customerCode: string, text: string, key: string): Promise<void>;
}

/** An order with all that happened at the provider. */
export interface OperatorOrder {
  readonly order: OrderView;
  readonly charge?: ChargeRecord;
  readonly refunds: readonly RefundRecord[];
}

/** What the operator may do, on the command line and at the desk. */
export function createOperator(context: Context): Operator {
  const { store } = context;

  async function customerId(idOrCode: string): Promise<string> {
    const { customers } = store.read;
    const found =
      (await customers.find(idOrCode)) ?? (await customers.byCode(idOrCode.trim().toUpperCase()));
    if (!found) throw new NotFound('customer');
    return found.id;
  }

  return {
    refund: (orderId, wish) =>
      store.transaction((tables) => requestRefund(tables, context, orderId, wish)),
    photo: async (photoId) => {
      const photo = await store.read.photos.find(photoId);
      if (!photo) throw new NotFound('photo');
      const timeline = await store.read.timeline.ofPhoto(photoId);
      return { view: await photoView(context, photo), timeline };
    },
    erase: async (customer) => erase(context, await customerId(customer)),
    orders: (limit) => store.read.orders.list({ limit }),
    order: async (orderId) => {
      const order = await store.read.orders.find(orderId);
      if (!order) throw new NotFound('order');
      return {
        order: await orderView(context, order),
        charge: await store.read.charges.ofOrder(orderId),
        refunds: await store.read.refunds.ofOrder(orderId),
      };
    },
    quarantine: (limit) => store.read.inbox.quarantined(limit),
    resolveQuarantine: async (id) => {
      const done = await store.transaction(({ inbox }) => inbox.resolve(id, context.clock.now()));
      if (!done) throw new NotFound('order');
    },
    createCodes: (wanted) => createCreditCodes(context, wanted),
    pauseIntake: (paused) =>
      store.transaction(({ settings }) => settings.set(pausedSetting, paused ? 'yes' : 'no')),
    intakePaused: async () => (await store.read.settings.get(pausedSetting)) === 'yes',
    join: async (olderCode, newerCode) => {
      const [older, newer] = [await customerId(olderCode), await customerId(newerCode)];
      await joinCustomers(context, newer, older);
      context.log.info('operator.join', { customerId: older, joined: newer });
      return (await current(store.read, older)).language;
    },
    answer: async (customerCode, text, key) => {
      const id = await customerId(customerCode);
      const news = { customerId: id, key, event: { kind: 'support.answer', text } as const };
      await store.transaction((tables) => tell(tables, context, news, priorities.paid));
    },
  };
}
