import type { Context } from './context.js';
import { orderMoves } from './order.js';
import type { Tables } from './ports/store.js';
import { requestRefund } from './request-refund.js';
import { orderCredited } from './stages/order-news.js';
import { assertMove } from './state-machine.js';

/**
 * When the last hold of a paid order is settled the order is over: fulfilled if anything was
 * handed over, else credited. What could not be handed over is refunded or stays as credits.
 * Runs in the transaction that settled the hold.
 */
export async function concludeOrder(
  tables: Tables,
  context: Context,
  orderId: string,
): Promise<void> {
  const order = await tables.orders.lock(orderId);
  if (order?.state !== 'paid') return;
  const holds = await tables.holds.ofOrder(orderId);
  if (holds.some((hold) => hold.state === 'held')) return;
  const posted = holds.some((hold) => hold.state === 'posted');
  const state = posted ? 'fulfilled' : 'credited';
  assertMove(orderMoves, order.state, state, orderId);
  await tables.orders.update(orderId, { state });
  const voided = holds.filter((hold) => hold.state === 'voided');
  if (voided.length === 0) return;
  const credits = voided.reduce((sum, hold) => sum + hold.credits, 0);
  if (context.config.undeliverable === 'credit') {
    return orderCredited(tables, context, order, credits, 'failed');
  }
  await requestRefund(tables, context, orderId, {
    key: 'undeliverable',
    amountMinor: Math.floor((order.amountMinor * credits) / order.credits),
    credits,
    reason: 'HD file could not be made',
  });
}
