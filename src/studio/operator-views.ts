import type { Context } from './context.js';
import { NotFound } from './errors/index.js';
import { startOfDayMs } from './local-day.js';
import { orderView } from './order-views.js';
import { statesUnderWay } from './photo.js';
import { photoView } from './photo-views.js';
import type { DayNumbers, Operator, OperatorOrder, StuckPhoto } from './ports/operator.js';
import { pausedSetting } from './submit-photo.js';

/** A photo that has not moved for so long is worth a look, ms. */
const stuckAfterMs = 300_000;
const quarantineMax = 1_000;

/** Numbers since midnight in the shop's time zone. */
export async function todaysNumbers({ store, clock, config }: Context): Promise<DayNumbers> {
  const { reports, inbox, settings } = store.read;
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
    quarantined: (await inbox.quarantined(quarantineMax)).length,
    paused: (await settings.get(pausedSetting)) === 'yes',
  };
}

/** Photos that have not moved for five minutes. */
export async function stuckPhotos(
  { store, clock }: Context,
  limit: number,
): Promise<readonly StuckPhoto[]> {
  const now = clock.now();
  const photos = await store.read.photos.idle(now - stuckAfterMs, limit);
  return Promise.all(
    photos.map(async ({ id, customerId, state, updatedMs, error }) => ({
      photoId: id,
      customerCode: (await store.read.customers.find(customerId))?.code ?? '',
      state,
      idleMs: now - updatedMs,
      ...(error ? { lastError: error.code } : {}),
    })),
  );
}

/** A photo and its history. @throws {NotFound} */
export async function photoOf(context: Context, photoId: string): ReturnType<Operator['photo']> {
  const { photos, timeline } = context.store.read;
  const photo = await photos.find(photoId);
  if (!photo) throw new NotFound('photo');
  return { view: await photoView(context, photo), timeline: await timeline.ofPhoto(photoId) };
}

/** An order with its charge and refunds. @throws {NotFound} */
export async function orderOf(context: Context, orderId: string): Promise<OperatorOrder> {
  const { orders, charges, refunds } = context.store.read;
  const order = await orders.find(orderId);
  if (!order) throw new NotFound('order');
  return {
    order: await orderView(context, order),
    charge: await charges.ofOrder(orderId),
    refunds: await refunds.ofOrder(orderId),
  };
}
