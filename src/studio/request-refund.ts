import assert from 'node:assert/strict';
import type { Context } from './context.js';
import { InvalidRequest, NotFound, NotPossibleNow } from './errors/index.js';
import { voidHold } from './holds.js';
import { accounts, creditsOf, transfer } from './ledger.js';
import { orderMoves } from './order.js';
import { want } from './outbox.js';
import type { Tables } from './ports/store.js';
import type { HoldRecord, OrderRecord, RefundRecord } from './records.js';
import { assertMove } from './state-machine.js';

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
 * by every retry; all refunds together never exceed what was paid. When nothing is left, what is
 * still in the making is not handed over.
 * @throws {NotPossibleNow} nothing was paid, or nothing is left. {InvalidRequest} more than is left.
 */
export async function requestRefund(
  tables: Tables,
  context: Context,
  orderId: string,
  wish: RefundWish,
): Promise<RefundRecord> {
  const making = await lockHolds(tables, orderId);
  const order = await tables.orders.lock(orderId);
  if (!order) throw new NotFound('order');
  const known = await tables.refunds.byKey(orderId, wish.key);
  if (known) return known;
  const charge = await tables.charges.ofOrder(orderId);
  if (charge?.state !== 'paid') throw new NotPossibleNow('refund', order.state);
  const left = await refundable(tables, order);
  if (left === 0) throw new NotPossibleNow('refund', 'refunded');
  const amountMinor = wish.amountMinor ?? left;
  // Telegram gives Stars back whole or not at all: a part would be asked for in vain for ever.
  const least = order.currency === 'XTR' ? left : 1;
  if (!Number.isSafeInteger(amountMinor) || amountMinor < least || amountMinor > left) {
    throw new InvalidRequest(
      'amount',
      least === left ? `${left}` : `${least} … ${left}`,
      String(amountMinor),
    );
  }
  const freed = amountMinor === left ? await callOff(tables, context, order, making) : 0;
  const nowMs = context.clock.now();
  const id = context.ids.next('refund');
  const share = wish.credits ?? creditsOfPart(order, order.amountMinor - left, amountMinor);
  const credits = await takeBack(tables, context, order, id, Math.max(share, freed));
  const refund: RefundRecord = {
    ...{ id, orderId, chargeId: charge.id, key: wish.key, amountMinor, credits },
    ...{ reason: wish.reason, state: 'intent', createdMs: nowMs, nextPollMs: nowMs, polls: 0 },
  };
  await tables.refunds.insert(refund);
  await want(tables, context, {
    name: 'refund',
    key: `refund:${id}:0`,
    payload: { refundId: id },
    group: order.customerId,
  });
  return refund;
}

/** An order's holds whose file is still being made. Photo, hold, order: as `unlock` locks them. */
async function lockHolds(tables: Tables, orderId: string): Promise<HoldRecord[]> {
  const making: HoldRecord[] = [];
  for (const { id, photoId, state } of await tables.holds.ofOrder(orderId)) {
    if (state !== 'held') continue;
    await tables.photos.lock(photoId);
    const hold = await tables.holds.lock(id);
    if (hold?.state === 'held') making.push(hold);
  }
  return making;
}

/**
 * All the money goes back: its credits must not buy anything any more.
 * @returns credits that were set aside until now.
 */
async function callOff(
  tables: Tables,
  context: Context,
  order: OrderRecord,
  making: readonly HoldRecord[],
): Promise<number> {
  for (const hold of making) await voidHold(tables, context, hold, 'refunded');
  const freed = making.reduce((sum, hold) => sum + hold.credits, 0);
  if (order.state !== 'paid') return freed;
  const holds = await tables.holds.ofOrder(order.id);
  const state = holds.some((hold) => hold.state === 'posted') ? 'fulfilled' : 'credited';
  assertMove(orderMoves, order.state, state, order.id);
  await tables.orders.update(order.id, { state });
  return freed;
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

/** Counted from the order's start: several parts never come to more credits than were bought. */
function creditsOfPart(order: OrderRecord, goneMinor: number, partMinor: number): number {
  const upTo = (minor: number) => Math.ceil((order.credits * minor) / order.amountMinor);
  return upTo(goneMinor + partMinor) - upTo(goneMinor);
}

/** Of the credits an order bought: neither spent on its own photos nor taken back by a refund. */
async function unspent(tables: Tables, order: OrderRecord): Promise<number> {
  const sum = (rows: readonly { readonly credits: number }[]) =>
    rows.reduce((total, { credits }) => total + credits, 0);
  const holds = await tables.holds.ofOrder(order.id);
  const refunds = await tables.refunds.ofOrder(order.id);
  const spent = sum(holds.filter(({ state }) => state !== 'voided'));
  return order.credits - spent - sum(refunds.filter(({ state }) => state !== 'closed'));
}

async function takeBack(
  tables: Tables,
  context: Context,
  order: OrderRecord,
  refundId: string,
  wanted: number,
): Promise<number> {
  const own = await unspent(tables, order);
  const amount = Math.min(wanted, own, await creditsOf(tables, order.customerId));
  if (amount <= 0) return 0;
  await transfer(tables, context, {
    key: `reversed:${refundId}`,
    from: accounts.credits(order.customerId),
    to: accounts.sold(),
    amount,
  });
  return amount;
}
