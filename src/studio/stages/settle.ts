import type { Context } from '../context.js';
import { DatabaseAway, GatewayUnknown, MethodUnavailable, StudioError } from '../errors/index.js';
import type { Job } from '../jobs.js';
import { chargeMoves, orderMoves } from '../order.js';
import { isGivenUp } from '../orders.js';
import type { ChargeStatus, PaymentGateway } from '../ports/gateway.js';
import type { Tables } from '../ports/store.js';
import type { ChargeRecord } from '../records.js';
import { assertMove } from '../state-machine.js';
import { applyPaid } from './apply-paid.js';
import { orderClosed } from './order-news.js';
import { nextLatePollMs, nextOpenPollMs } from './poll-schedule.js';

/** Find out whether an order's charge was paid: by notifications received, else by asking. */
export async function settle(context: Context, job: Job<'settle'>): Promise<void> {
  const { chargeId } = job.payload;
  await settleNotified(context, job.key, chargeId);
  const charge = await context.store.read.charges.find(chargeId);
  if (!charge || charge.state === 'paid') return;
  try {
    const gateway = context.gateways.get(charge.gateway);
    if (!gateway) throw new MethodUnavailable(charge.gateway);
    await settlePolled(context, charge, gateway);
  } catch (error) {
    if (!(error instanceof StudioError) || error instanceof DatabaseAway) throw error;
    // The charge's own schedule asks again; the queue's would only add to it.
    const { code, message: reason } = error;
    context.log.warn('charge.noAnswer', { chargeId, code, reason });
    await schedule(context, chargeId);
  }
}

/** Verified notifications that were recorded and not looked at yet. */
async function settleNotified(context: Context, jobKey: string, chargeId: string): Promise<void> {
  const { store, clock } = context;
  const waiting = await store.read.inbox.unhandled({ outTradeNo: chargeId, limit: 100 });
  for (const { gateway, key, status } of waiting) {
    const { charge } = status as { charge?: ChargeStatus };
    const handled = async (tables: Tables) => {
      await tables.inbox.handled(gateway, key, clock.now());
      // One durable write less: the job leaves the outbox with what it was for.
      if (waiting.length === 1) await tables.outbox.done([jobKey]);
    };
    if (charge?.state === 'paid') {
      await applyPaid(context, gateway, charge, 'notification', handled);
    } else {
      await store.transaction(({ inbox }) => inbox.handled(gateway, key, clock.now()));
    }
  }
}

async function settlePolled(
  context: Context,
  charge: ChargeRecord,
  gateway: PaymentGateway,
): Promise<void> {
  const status = await gateway.queryCharge(charge.id);
  if (status.state === 'unknown') throw new GatewayUnknown(gateway.id, 'query: unknown state');
  if (await settledBy(context, charge, status)) return;
  const expired = charge.expiresMs <= context.clock.now();
  if (!expired || charge.state === 'closed') {
    return schedule(context, charge.id);
  }
  // Query, close, query again: only then it is closed, for a customer may pay in between.
  await closing(context, charge.id);
  const closed = await gateway.closeCharge(charge.id);
  if (await settledBy(context, charge, closed)) return;
  const after = await gateway.queryCharge(charge.id);
  if (await settledBy(context, charge, after)) return;
  // The provider never heard of it: nothing there can be paid any more, the code has expired too.
  if (after.state === 'absent') await markClosed(context, charge.id);
  else await schedule(context, charge.id);
}

/** @returns whether there is nothing left to find out now. */
async function settledBy(
  context: Context,
  charge: ChargeRecord,
  status: ChargeStatus,
): Promise<boolean> {
  if (status.state === 'closed') {
    await markClosed(context, charge.id);
    return true;
  }
  // Paid and refunded there without us: quarantine, the operator must have done it by hand.
  if (status.state !== 'paid' && status.state !== 'refunded') return false;
  const outcome = await applyPaid(context, charge.gateway, status, 'poll');
  // The operator has it: until the expiry it may still change, then it is looked at ever more seldom.
  if (outcome === 'quarantined') await schedule(context, charge.id, 'quarantined');
  return true;
}

async function closing(context: Context, chargeId: string): Promise<void> {
  await context.store.transaction(async (tables) => {
    const charge = await tables.charges.lock(chargeId);
    const order = charge && (await tables.orders.lock(charge.orderId));
    if (!order || (order.state !== 'created' && order.state !== 'pending')) return;
    assertMove(orderMoves, order.state, 'closing', order.id);
    await tables.orders.update(order.id, { state: 'closing' });
  });
}

/** Verified closed at the provider. Late money is still looked for, a few times. */
async function markClosed(context: Context, chargeId: string): Promise<void> {
  const order = await context.store.transaction(async (tables) => {
    const charge = await tables.charges.lock(chargeId);
    if (!charge || charge.state === 'paid') return undefined;
    const nextPollMs = nextLatePollMs(charge, context.clock.now());
    if (charge.state === 'closed') {
      await tables.charges.update(chargeId, { nextPollMs });
      return undefined;
    }
    assertMove(chargeMoves, charge.state, 'closed', chargeId);
    await tables.charges.update(chargeId, { state: 'closed', nextPollMs });
    const known = await tables.orders.lock(charge.orderId);
    if (!known || !['created', 'pending', 'closing'].includes(known.state)) return undefined;
    // Closed by the provider itself: pending passes through closing.
    const from = known.state === 'pending' ? 'closing' : known.state;
    assertMove(orderMoves, from, 'closed', known.id);
    await tables.orders.update(known.id, { state: 'closed' });
    // Given up before its time: who did it was told, or has bought the photo otherwise.
    if (!isGivenUp(known, context.config)) await orderClosed(tables, context, known);
    return known;
  });
  if (!order) return;
  const { id: orderId, customerId } = order;
  context.live.emit({ customerId, orderId, kind: 'order' });
}

async function schedule(context: Context, chargeId: string, found?: 'quarantined'): Promise<void> {
  await context.store.transaction(async (tables) => {
    const charge = await tables.charges.lock(chargeId);
    if (!charge || charge.state === 'paid') return;
    const nowMs = context.clock.now();
    const over = charge.state === 'closed' || (found && nowMs >= charge.expiresMs);
    const nextPollMs = (over ? nextLatePollMs : nextOpenPollMs)(charge, nowMs);
    await tables.charges.update(chargeId, { nextPollMs });
  });
}
