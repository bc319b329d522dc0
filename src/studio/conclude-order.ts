import type { Context } from './context.js';
import { isErased, orderMoves } from './order.js';
import type { Tables } from './ports/store.js';
import type { OrderRecord } from './records.js';
import { refundable, requestRefund } from './request-refund.js';
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
  const amountMinor = await givingBack(tables, context, order, credits);
  if (amountMinor === 0) return orderCredited(tables, context, order, credits, 'failed');
  const reason = 'HD file could not be made';
  const wish = { key: 'undeliverable', amountMinor, credits, reason };
  await requestRefund(tables, context, orderId, wish);
}

/** @returns money for credits that bought nothing; 0: they stay credits. */
async function givingBack(
  tables: Tables,
  { config }: Context,
  order: OrderRecord,
  credits: number,
): Promise<number> {
  if (config.undeliverable === 'credit' && !isErased(order)) return 0;
  const share = Math.floor((order.amountMinor * credits) / order.credits);
  // The operator may have sent part of it back already.
  const left = await refundable(tables, order);
  // Telegram gives Stars back whole or not at all.
  if (order.currency === 'XTR' && share < left) return 0;
  return Math.min(share, left);
}
