import { createCreditCodes, join } from './codes.js';
import type { Context } from './context.js';
import { current } from './customers.js';
import { erase, forgetOrders } from './delete-photos.js';
import { NotFound } from './errors/index.js';
import { priorities } from './jobs.js';
import { customerNamed, ordersNamed, photosNamed } from './named-by-code.js';
import { changeJob } from './operator-jobs.js';
import { asOperator } from './operator-log.js';
import { orderOf, photoOf, stuckPhotos, todaysNumbers } from './operator-views.js';
import { tell } from './outbox.js';
import type { Operator } from './ports/operator.js';
import { waitingQuestions } from './questions.js';
import { requestRefund } from './request-refund.js';
import { pausedSetting } from './submit-photo.js';

const chatsMax = 100_000;

/** The operator's port over a context; the same for every door. */
export function createOperator(context: Context): Operator {
  return { ...asking(context), ...money(context), ...people(context) };
}

/** What changes nothing. */
function asking(context: Context) {
  const { read } = context.store;
  return {
    today: () => todaysNumbers(context),
    stuck: (limit) => stuckPhotos(context, limit),
    photo: (photoId) => photoOf(context, photoId),
    orders: async (limit, customer) =>
      read.orders.list({
        limit,
        ...(customer === undefined ? {} : { customerId: await customerNamed(context, customer) }),
      }),
    ordersNamed: (name, limit) => ordersNamed(context, name, limit),
    photosNamed: (name, limit) => photosNamed(context, name, limit),
    order: (orderId) => orderOf(context, orderId),
    quarantine: (limit) => read.inbox.quarantined(limit),
    questions: (limit) => waitingQuestions(context, limit),
    intakePaused: async () => (await read.settings.get(pausedSetting)) === 'yes',
    chats: (channel, sinceMs) => read.reports.chatsSince(channel, sinceMs, chatsMax),
    jobs: (filter) => context.queue.list(filter),
    log: (limit) => read.operatorLog.list(limit),
  } satisfies Partial<Operator>;
}

/** Money, what stands for it, and work. */
function money(context: Context) {
  return {
    refund: (by, orderId, wish) =>
      asOperator(context, by, async (tables, note) => {
        const refund = await requestRefund(tables, context, orderId, wish);
        const { id: refundId, amountMinor, credits } = refund;
        const details = { orderId, refundId, amountMinor, credits };
        await note({ action: 'refund', subject: orderId, details, key: `refund:${refundId}` });
        const order = await tables.orders.find(orderId);
        if (!order) throw new NotFound('order');
        return { ...refund, currency: order.currency };
      }),
    createCodes: (by, wanted) =>
      asOperator(context, by, async (tables, note) => {
        const codes = await createCreditCodes(tables, context, wanted);
        const { credits, count, batch } = wanted;
        await note({ action: 'codes', subject: batch, details: { credits, count } });
        return codes;
      }),
    resolveQuarantine: (by, id) =>
      asOperator(context, by, async ({ inbox }, note) => {
        if (!(await inbox.resolve(id, context.clock.now()))) throw new NotFound('order');
        await note({ action: 'quarantine', subject: id, details: { id } });
      }),
    changeJob: (by, wanted, key) => changeJob(context, by, wanted, key),
  } satisfies Partial<Operator>;
}

/** Customers, one or all. Repeated calls that change nothing leave no line. */
function people(context: Context) {
  const { store, live } = context;

  const customerId = (idOrCode: string) => customerNamed(context, idOrCode);

  return {
    pauseIntake: (by, paused) =>
      asOperator(context, by, async ({ settings }, note) => {
        const wanted = paused ? 'yes' : 'no';
        if (((await settings.get(pausedSetting)) ?? 'no') === wanted) return;
        await settings.set(pausedSetting, wanted);
        await note({ action: 'intake', subject: '', details: { paused } });
      }),
    answer: async (by, customer, text, key) => {
      const id = await customerId(customer);
      const news = { customerId: id, key, event: { kind: 'support.answer', text } as const };
      await asOperator(context, by, async (tables, note) => {
        await tell(tables, context, news, priorities.paid);
        await tables.questions.answered(id, context.clock.now());
        const details = { customerId: id };
        // As named: a repeat after the customer was joined with another is the same answer.
        await note({ action: 'answer', subject: id, details, key: `answer:${customer}:${key}` });
      });
    },
    join: async (by, older, newer) => {
      const [toId, fromId] = [await customerId(older), await customerId(newer)];
      const both = await asOperator(context, by, async (tables, note) => {
        const before = (await current(tables, fromId)).id;
        const owner = await join(tables, context, fromId, toId);
        const details = { customerId: owner, joined: before };
        if (before !== owner) await note({ action: 'join', subject: owner, details });
        return owner;
      });
      for (const id of [fromId, toId]) live.emit({ customerId: id, kind: 'credits' });
      return (await current(store.read, both)).language;
    },
    erase: async (by, customer) => {
      const id = await customerId(customer);
      await asOperator(context, by, async (tables, note) => {
        await note({ action: 'erase', subject: id, details: { customerId: id } });
        await forgetOrders(tables, context, id);
      });
      await erase(context, id);
    },
    beginBroadcast: async (by, channel, sinceMs, key) => {
      const chats = await store.read.reports.chatsSince(channel, sinceMs, chatsMax);
      await asOperator(context, by, async (_, note) => {
        const details = { channel, chats: chats.length };
        await note({
          action: 'broadcast',
          subject: '',
          details,
          key: `broadcast:${channel}:${key}`,
        });
      });
      return chats;
    },
  } satisfies Partial<Operator>;
}
