import assert from 'node:assert/strict';
import type { Context } from './context.js';
import { InvalidRequest, NotFound, NotPossibleNow } from './errors/index.js';
import { priorities } from './jobs.js';
import { accounts, creditsOf, transfer } from './ledger.js';
import { want } from './outbox.js';
import type { Tables } from './ports/store.js';
import type { OrderRecord, RefundRecord } from './records.js';

export interface RefundWish {
  /** Natural key, unique per order: the same wish again is the same refund. */
  readonly key: string;
  /** Absent: all that is left. */
  readonly amountMinor?: number;
  /** Bought credits to take back; absent: in proportion. What was spent already stays spent. */
  readonly credits?: number;
  readonly reason: string;
}

/**
 * Write down that money shall go back and queue the doing. The number is stored first and reused
 * by every retry; all refunds together never exceed what was paid.
 * @throws {NotPossibleNow} nothing was paid. {InvalidRequest} more than is left.
 */
export async function requestRefund(
  tables: Tables,
  context: Context,
  orderId: string,
  wish: RefundWish,
): Promise<RefundRecord> {
  const order = await tables.orders.lock(orderId);
  if (!order) throw new NotFound('order');
  const known = await tables.refunds.byKey(orderId, wish.key);
  if (known) return known;
  const charge = await tables.charges.ofOrder(orderId);
  if (charge?.state !== 'paid') throw new NotPossibleNow('refund', order.state);
  const left = await refundable(tables, order);
  const amountMinor = wish.amountMinor ?? left;
  // Telegram gives Stars back whole or not at all: a part would be asked for in vain for ever.
  const least = order.currency === 'XTR' ? Math.max(1, left) : 1;
  if (!Number.isSafeInteger(amountMinor) || amountMinor < least || amountMinor > left) {
    throw new InvalidRequest('amount', `${least} to ${left}`, String(amountMinor));
  }
  const nowMs = context.clock.now();
  const id = context.ids.next('refund');
  const share = Math.ceil((order.credits * amountMinor) / order.amountMinor);
  const credits = await takeBack(tables, context, order, id, wish.credits ?? share);
  const refund: RefundRecord = {
    ...{ id, orderId, chargeId: charge.id, key: wish.key, amountMinor, credits },
    ...{ reason: wish.reason, state: 'intent', createdMs: nowMs, nextPollMs: nowMs, polls: 0 },
  };
  await tables.refunds.insert(refund);
  await want(tables, context, {
    name: 'refund',
    key: `refund:${id}:0`,
    payload: { refundId: id },
    priority: priorities.money,
    group: order.customerId,
  });
  return refund;
}

/** What of an order's money is neither back nor on its way back. */
export async function refundable(tables: Tables, order: OrderRecord): Promise<number> {
  const refunds = await tables.refunds.ofOrder(order.id);
  const gone = refunds
    .filter((refund) => refund.state !== 'closed')
    .reduce((sum, refund) => sum + refund.amountMinor, 0);
  assert(gone >= order.refundedMinor && gone <= order.amountMinor, `refunds of ${order.id}`);
  return order.amountMinor - gone;
}

async function takeBack(
  tables: Tables,
  context: Context,
  order: OrderRecord,
  refundId: string,
  wanted: number,
): Promise<number> {
  const amount = Math.min(wanted, await creditsOf(tables, order.customerId));
  if (amount <= 0) return 0;
  await transfer(tables, context, {
    key: `reversed:${refundId}`,
    from: accounts.credits(order.customerId),
    to: accounts.sold(),
    amount,
  });
  return amount;
}
