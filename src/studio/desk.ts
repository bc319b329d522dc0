import type { Context } from './context.js';
import { NotFound } from './errors/index.js';
import { startOfDayMs } from './local-day.js';
import { createOperator } from './operator.js';
import { statesUnderWay } from './photo.js';
import type { Desk } from './ports/desk.js';
import type { Reports } from './ports/reports.js';

/** A photo that has not moved for so long is worth a look. */
const stuckAfterMs = 300_000;
const broadcastMax = 100_000;
const quarantineMax = 1_000;

/** What the operator does from a chat, over a running studio. */
export function createDesk(context: Context, reports: Reports): Desk {
  const { store, clock, log, config } = context;
  const operator = createOperator(context);
  return {
    async today() {
      const since = startOfDayMs(clock.now(), config.timeZone);
      const photos = await reports.photosSince(since);
      const count = (...states: (keyof typeof photos)[]) =>
        states.reduce((sum, state) => sum + (photos[state] ?? 0), 0);
      return {
        photos: Object.values(photos).reduce((sum, n) => sum + n, 0),
        ready: count('ready'),
        failed: count('failed'),
        waiting: count(...statesUnderWay),
        newCustomers: await reports.customersSince(since),
        paid: await reports.paidSince(since),
        quarantined: (await reports.quarantined(quarantineMax)).length,
        paused: await operator.intakePaused(),
      };
    },
    async stuck(limit) {
      const now = clock.now();
      const photos = await reports.idlePhotos(now - stuckAfterMs, limit);
      return Promise.all(
        photos.map(async ({ id, customerId, state, updatedMs, error }) => ({
          photoId: id,
          customerCode: (await store.read.customers.find(customerId))?.code ?? '',
          state,
          idleMs: now - updatedMs,
          ...(error ? { lastError: error.code } : {}),
        })),
      );
    },
    async refund(orderId, { amountMinor, reason, key }) {
      const order = await store.read.orders.find(orderId);
      if (!order) throw new NotFound('order');
      const refund = await operator.refund(orderId, { key, amountMinor, reason });
      log.info('operator.refund', {
        orderId,
        refundId: refund.id,
        amountMinor: refund.amountMinor,
      });
      return { refundId: refund.id, amountMinor: refund.amountMinor, currency: order.currency };
    },
    async setPaused(paused) {
      await operator.pauseIntake(paused);
      log.info('operator.intake', { paused });
    },
    answer: (customerCode, text, key) => operator.answer(customerCode, text, key),
    join: (olderCode, newerCode) => operator.join(olderCode, newerCode),
    chats: (channel, sinceMs) => reports.chatsSince(channel, sinceMs, broadcastMax),
  };
}
