import type { Context } from '../context.js';
import { DatabaseAway, GatewayRefused, MethodUnavailable, StudioError } from '../errors/index.js';
import type { Job } from '../jobs.js';
import { accounts, transfer } from '../ledger.js';
import { orderMoves, type RefundRecordState, refundMoves } from '../order.js';
import type { RefundRequest, RefundState } from '../ports/gateway.js';
import type { Tables } from '../ports/store.js';
import type { ChargeRecord, RefundRecord } from '../records.js';
import { assertMove } from '../state-machine.js';
import { orderRefunded } from './order-news.js';
import { nextRefundPollMs } from './poll-schedule.js';

/** Move money back; also follows up refunds that are still processing. */
export async function refund(context: Context, job: Job<'refund'>): Promise<void> {
  const { read } = context.store;
  const known = await read.refunds.find(job.payload.refundId);
  if (!known || known.state === 'succeeded' || known.state === 'closed') return;
  const charge = (await read.charges.find(known.chargeId)) as ChargeRecord;
  try {
    await applyRefund(context, known.id, await ask(context, known, charge));
  } catch (error) {
    if (!(error instanceof StudioError) || error instanceof DatabaseAway) throw error;
    const refused = error instanceof GatewayRefused;
    const code = refused ? error.providerCode : error.code;
    const fields = { refundId: known.id, code, reason: error.message };
    if (refused) context.log.error('refund.refused', fields);
    else context.log.warn('refund.noAnswer', fields);
    // A verified no needs the operator; anything else is asked again on the refund's own schedule.
    await applyRefund(context, known.id, refused ? 'abnormal' : 'unknown');
  }
}

/** The same number again cannot pay twice, so whatever the provider does not know is sent again. */
async function ask(
  context: Context,
  known: RefundRecord,
  charge: ChargeRecord,
): Promise<RefundState> {
  const gateway = context.gateways.get(charge.gateway);
  if (!gateway) throw new MethodUnavailable(charge.gateway);
  const request = await requestOf(context, known, charge);
  if (known.state === 'intent') return (await gateway.refund(request)).state;
  const { state } = await gateway.queryRefund(request);
  return state === 'absent' ? (await gateway.refund(request)).state : state;
}

/** What the provider says about a refund, sending nothing. @throws {GatewayUnknown} */
export async function queryRefundState(
  context: Context,
  known: RefundRecord,
  charge: ChargeRecord,
): Promise<RefundState> {
  const gateway = context.gateways.get(charge.gateway);
  if (!gateway) throw new MethodUnavailable(charge.gateway);
  return (await gateway.queryRefund(await requestOf(context, known, charge))).state;
}

async function requestOf(
  { store }: Context,
  { id, amountMinor, orderId }: RefundRecord,
  charge: ChargeRecord,
): Promise<RefundRequest> {
  const order = await store.read.orders.find(orderId);
  return {
    outRefundNo: id,
    outTradeNo: charge.id,
    providerId: charge.providerId as string,
    refundMinor: amountMinor,
    totalMinor: charge.amountMinor,
    currency: charge.currency,
    ...(order?.chat.channel === 'telegram' ? { telegramUserId: order.chat.chatId } : {}),
  };
}

const states: Record<RefundState, RefundRecordState | undefined> = {
  succeeded: 'succeeded',
  processing: 'processing',
  abnormal: 'abnormal',
  closed: 'closed',
  absent: undefined,
  unknown: undefined,
};

/** Write down what the provider says about a refund; by poll, notification or reconciliation. */
export async function applyRefund(
  context: Context,
  refundId: string,
  state: RefundState,
): Promise<void> {
  const changed = await context.store.transaction(async (tables) => {
    const known = await tables.refunds.lock(refundId);
    if (!known || known.state === 'succeeded' || known.state === 'closed') return undefined;
    const next = states[state] ?? known.state;
    if (next === 'succeeded') await succeed(tables, context, known);
    if (next === 'closed') await giveBack(tables, context, known);
    if (next !== known.state) assertMove(refundMoves, known.state, next, refundId);
    const over = next === 'succeeded' || next === 'closed';
    const polls = known.polls + 1;
    const nextPollMs = over ? null : nextRefundPollMs(polls, context.clock.now());
    await tables.refunds.update(refundId, { state: next, polls, nextPollMs });
    return { ...known, state: next };
  });
  if (!changed) return;
  const level = changed.state === 'abnormal' || changed.state === 'closed' ? 'error' : 'info';
  const { orderId } = changed;
  context.log[level](`refund.${changed.state}`, { refundId, orderId });
  const order = await context.store.read.orders.find(orderId);
  if (!order) return;
  const { customerId } = order;
  context.live.emit({ customerId, orderId, kind: 'order' });
  context.live.emit({ customerId, kind: 'credits' });
}

async function succeed(tables: Tables, context: Context, refund: RefundRecord): Promise<void> {
  const order = await tables.orders.lock(refund.orderId);
  const charge = await tables.charges.find(refund.chargeId);
  if (!order || !charge) return;
  await transfer(tables, context, {
    key: `refunded:${refund.id}`,
    from: accounts.revenue(charge.currency),
    to: accounts.gateway(charge.gateway, charge.currency),
    amount: refund.amountMinor,
  });
  const refundedMinor = order.refundedMinor + refund.amountMinor;
  await tables.orders.update(order.id, { refundedMinor });
  await orderRefunded(tables, context, order, refund.id, refund.amountMinor);
  if (refundedMinor < order.amountMinor) return;
  assertMove(orderMoves, order.state, 'refunded', order.id);
  await tables.orders.update(order.id, { state: 'refunded' });
}

/** The provider will not pay it back: the credits taken for it return to the customer. */
async function giveBack(tables: Tables, context: Context, refund: RefundRecord): Promise<void> {
  const order = await tables.orders.find(refund.orderId);
  if (!order || refund.credits === 0) return;
  await transfer(tables, context, {
    key: `returned:${refund.id}`,
    from: accounts.sold(),
    to: accounts.credits(order.customerId),
    amount: refund.credits,
  });
}
