import type { Context } from '../context.js';
import { holdCredits } from '../holds.js';
import { accounts, transfer } from '../ledger.js';
import { giveUpOthers } from '../open-orders.js';
import { chargeMoves, isErased, type OrderState, orderMoves } from '../order.js';
import type { ChargeStatus, GatewayId } from '../ports/gateway.js';
import type { Tables } from '../ports/store.js';
import type { ChargeRecord, OrderRecord } from '../records.js';
import { requestRefund } from '../request-refund.js';
import { assertMove } from '../state-machine.js';
import { orderCredited, orderPaid } from './order-news.js';

export type PaidOutcome = 'paid' | 'exists' | 'quarantined';

/**
 * The only place where an order becomes paid: by notification and by poll, whoever comes first,
 * under the charge's row lock. What does not match to the fen and to the letter is quarantined:
 * not delivered, not dropped.
 * @param status verified by the gateway's adapter, state `paid`.
 * @param also what else shall commit with it.
 */
export async function applyPaid(
  context: Context,
  gateway: GatewayId,
  status: ChargeStatus,
  source: 'notification' | 'poll' | 'reconciliation',
  also?: (tables: Tables) => Promise<void>,
): Promise<PaidOutcome> {
  const { store, log, live } = context;
  const { outcome, order, reason } = await store.transaction(async (tables) => {
    const applied = await apply(tables, context, gateway, status);
    await also?.(tables);
    return applied;
  });
  const fields = { gateway, orderId: order?.id, source };
  if (outcome === 'quarantined') log.error('charge.quarantined', { ...fields, reason });
  if (outcome === 'paid' && order) {
    log.info('order.paid', fields);
    const { customerId } = order;
    live.emit({ customerId, orderId: order.id, kind: 'order' });
    live.emit({ customerId, kind: 'credits' });
  }
  return outcome;
}

interface Applied {
  readonly outcome: PaidOutcome;
  readonly order?: OrderRecord;
  readonly reason?: string;
}

async function apply(
  tables: Tables,
  context: Context,
  gateway: GatewayId,
  status: ChargeStatus,
): Promise<Applied> {
  const charge = await tables.charges.lock(status.outTradeNo);
  const reason = await objection(tables, gateway, status, charge);
  if (reason !== undefined || !charge) {
    await quarantine(tables, context, gateway, status, reason ?? 'unknown order');
    return { outcome: 'quarantined', reason };
  }
  const order = (await tables.orders.lock(charge.orderId)) as OrderRecord;
  if (charge.state === 'paid') return { outcome: 'exists', order };
  assertMove(chargeMoves, charge.state, 'paid', charge.id);
  const paidMs = status.paidAtMs ?? context.clock.now();
  const providerId = status.providerId as string;
  await tables.charges.update(charge.id, { state: 'paid', providerId, paidMs, nextPollMs: null });
  await book(tables, context, charge, order);
  const state = await fulfil(tables, context, order);
  await tables.orders.update(order.id, { state, paidMs });
  await tables.outbox.done([`checkout:${order.id}`]);
  if (isErased(order)) {
    const wish = { key: 'erased', reason: 'paid after everything was erased' };
    await requestRefund(tables, context, order.id, wish);
  }
  return { outcome: 'paid', order };
}

/** @returns what is wrong with the money, or undefined. */
async function objection(
  tables: Tables,
  gateway: GatewayId,
  status: ChargeStatus,
  charge: ChargeRecord | undefined,
): Promise<string | undefined> {
  if (charge?.gateway !== gateway) return 'unknown order';
  if (status.state !== 'paid') return `${status.state} at the provider`;
  const { amountMinor, currency, merchantId, appId, providerId } = status;
  if (!providerId) return 'no transaction id';
  if (amountMinor !== charge.amountMinor) return `amount ${amountMinor}, not ${charge.amountMinor}`;
  if (currency !== charge.currency) return `currency ${currency}, not ${charge.currency}`;
  if (merchantId !== charge.merchantId) return "another merchant's";
  if (appId !== charge.appId) return "another app's";
  if (charge.providerId !== null && charge.providerId !== providerId) return 'paid twice';
  const other = await tables.charges.byProvider(gateway, providerId);
  if (other && other.id !== charge.id) return `transaction belongs to ${other.id}`;
  return undefined;
}

async function quarantine(
  tables: Tables,
  { ids, clock }: Context,
  gateway: GatewayId,
  status: ChargeStatus,
  reason: string,
): Promise<void> {
  const { outTradeNo, providerId = '', amountMinor = '', currency = '' } = status;
  await tables.inbox.quarantine({
    id: ids.next('event'),
    ...{ gateway, outTradeNo, reason, status, resolvedMs: null, atMs: clock.now() },
    key: [outTradeNo, providerId, amountMinor, currency, reason].join('|').slice(0, 400),
  });
}

/** The money is in, and the credits it buys are the customer's, in the same transaction. */
async function book(
  tables: Tables,
  context: Context,
  charge: ChargeRecord,
  order: OrderRecord,
): Promise<void> {
  await transfer(tables, context, {
    key: `paid:${charge.id}`,
    from: accounts.gateway(charge.gateway, charge.currency),
    to: accounts.revenue(charge.currency),
    amount: charge.amountMinor,
  });
  await transfer(tables, context, {
    key: `bought:${order.id}`,
    from: accounts.sold(),
    to: accounts.credits(order.customerId),
    amount: order.credits,
  });
}

/** @returns what the order is now. */
async function fulfil(tables: Tables, context: Context, order: OrderRecord): Promise<OrderState> {
  if (isErased(order)) {
    return moved(order.state === 'closed' ? order : { ...order, state: 'paid' }, 'credited');
  }
  if (order.state === 'closed') {
    await orderCredited(tables, context, order, order.credits, 'late');
    return moved(order, 'credited');
  }
  moved(order, 'paid');
  if (order.kind === 'topup') {
    await orderCredited(tables, context, order, order.credits, 'topup');
    return moved({ ...order, state: 'paid' }, 'fulfilled');
  }
  const { held, left } = await holdAll(tables, context, order);
  // Deleted or unlocked otherwise meanwhile: the money is not lost.
  if (left > 0) await orderCredited(tables, context, order, left, 'failed');
  if (held === 0) return moved({ ...order, state: 'paid' }, 'credited');
  await orderPaid(tables, context, order);
  return 'paid';
}

/** @returns photos that can be handed over, and the credits left. */
async function holdAll(tables: Tables, context: Context, order: OrderRecord) {
  const held = new Set<string>();
  const photoIds = await tables.orders.photosOf(order.id);
  const each = order.credits / photoIds.length;
  for (const photoId of photoIds) {
    const photo = await tables.photos.lock(photoId);
    if (photo?.state !== 'ready' || photo.originalKey === null) continue;
    if (await tables.holds.active(photoId)) continue;
    await holdCredits(tables, context, photo, each, order.id);
    held.add(photoId);
  }
  await giveUpOthers(tables, context, order.customerId, held, order.id);
  return { held: held.size, left: order.credits - held.size * each };
}

function moved(order: OrderRecord, to: OrderState): OrderState {
  assertMove(orderMoves, order.state, to, order.id);
  return to;
}
