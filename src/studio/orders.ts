import type { StudioConfig } from './config.js';
import type { Context } from './context.js';
import { NotFound, NotPossibleNow } from './errors/index.js';
import { limits } from './limits.js';
import type { OrderState } from './order.js';
import { orderView, ownOrder } from './order-views.js';
import { want } from './outbox.js';
import type { Tables } from './ports/store.js';
import type { OrderView, Receipt } from './ports/studio.js';
import type { OrderRecord } from './records.js';

/** One of the customer's own orders. @throws {NotFound} */
export async function order(context: Context, customerId: string, orderId: string) {
  return orderView(context, await ownOrder(context.store.read, customerId, orderId));
}

/** The customer's orders, newest first. */
export async function orders(
  context: Context,
  customerId: string,
  limit: number,
): Promise<OrderView[]> {
  const found = await context.store.read.orders.list({ customerId, limit });
  return Promise.all(found.map((one) => orderView(context, one)));
}

/** The pay page's bearer token instead of a customer. */
export async function orderByPayToken(context: Context, token: string): Promise<OrderView> {
  const found = await context.store.read.orders.byPayToken(token);
  if (!found) throw new NotFound('order');
  return orderView(context, found);
}

/** The customer will not pay: expired from now on; closed once the provider says so. */
export async function cancelOrder(context: Context, customerId: string, orderId: string) {
  await context.store.transaction(async (tables) => {
    const { state } = await giveUp(tables, context, await ownOrder(tables, customerId, orderId));
    if (!givenUp.has(state)) throw new NotPossibleNow('cancel', state);
  });
  return order(context, customerId, orderId);
}

const givenUp: ReadonlySet<OrderState> = new Set(['created', 'pending', 'closing', 'closed']);

/** Whether an order was given up before its time was over. */
export function isGivenUp(
  { createdMs, expiresMs }: OrderRecord,
  { orderMinutes }: Pick<StudioConfig, 'orderMinutes'>,
): boolean {
  return expiresMs < createdMs + orderMinutes * 60_000;
}

/** An order that waits to be paid expires now; any other stays as it is. @returns how it was. */
export async function giveUp(
  tables: Tables,
  context: Context,
  { id, customerId }: OrderRecord,
): Promise<OrderRecord> {
  const charge = await tables.charges.ofOrder(id);
  // Charge, then order: as they are locked where money is booked.
  if (charge) await tables.charges.lock(charge.id);
  const found = (await tables.orders.lock(id)) as OrderRecord;
  if (!charge || (found.state !== 'created' && found.state !== 'pending')) return found;
  const nowMs = context.clock.now();
  await tables.orders.update(id, { expiresMs: nowMs });
  await tables.charges.update(charge.id, { expiresMs: nowMs, nextPollMs: nowMs + 60_000 });
  await want(tables, context, {
    name: 'settle',
    key: `settle:${charge.id}:cancel`,
    payload: { chargeId: charge.id },
    group: customerId,
  });
  return found;
}

/** What was paid and given back. @throws {NotPossibleNow} not paid yet. */
export async function receipt(
  context: Context,
  customerId: string,
  orderId: string,
): Promise<Receipt> {
  const found = await ownOrder(context.store.read, customerId, orderId);
  if (found.paidMs === null) throw new NotPossibleNow('receipt', found.state);
  const lines = [{ text: `receipt.${found.kind}`, amountMinor: found.amountMinor }];
  if (found.refundedMinor > 0) {
    lines.push({ text: 'receipt.refund', amountMinor: -found.refundedMinor });
  }
  const { currency, method, paidMs: paidAtMs } = found;
  return { orderId, lines, currency, paidAtMs, method };
}

/** "Have you seen my payment?": asks the gateway soon, within rate limits. */
export async function refreshOrder(context: Context, orderId: string): Promise<void> {
  const charge = await context.store.read.charges.ofOrder(orderId);
  if (!charge) throw new NotFound('order');
  if (charge.state === 'paid') return;
  // One question per step of time, whoever asks however often.
  const step = Math.floor(context.clock.now() / limits.studio.refreshEveryMs);
  await context.store.transaction((tables) =>
    want(tables, context, {
      name: 'settle',
      key: `settle:${charge.id}:asked:${step}`,
      payload: { chargeId: charge.id },
      group: orderId,
    }),
  );
}
