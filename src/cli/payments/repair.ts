import type { Difference } from '../../payments/reconciliation.js';
import type { Context } from '../../studio/context.js';
import { asOperator } from '../../studio/operator-log.js';
import type { PaymentGateway } from '../../studio/ports/gateway.js';
import type { Actor } from '../../studio/ports/operator.js';
import { applyPaid } from '../../studio/stages/apply-paid.js';
import { applyRefund, queryRefundState } from '../../studio/stages/refund.js';

/**
 * repaired: our books have it now. quarantined: the operator finds it under `huancai orders
 * quarantine`. confirmed: the provider knows it, only its bill does not. kept: for the operator.
 */
export type RepairOutcome = 'repaired' | 'quarantined' | 'confirmed' | 'kept';

/**
 * Mend a difference by what the provider answers now, never by the bill alone, and never by
 * inventing or removing money: a payment goes through the same door as a poll's. That it was wanted is
 * in the operator's log before anything is asked.
 */
export async function repair(
  context: Context,
  by: Actor,
  gateway: PaymentGateway,
  difference: Difference,
): Promise<RepairOutcome> {
  const { kind, movement } = difference;
  if (kind === 'amount' || kind === 'repeated') return 'kept';
  if (kind === 'missingHere') await writeDown(context, by, gateway, difference);
  const mend = movement === 'charge' ? repairCharge : repairRefund;
  return mend(context, gateway, difference);
}

/** Only what our books lack can change them. */
function writeDown(context: Context, by: Actor, { id: gateway }: PaymentGateway, what: Difference) {
  const { kind, movement, outTradeNo, outRefundNo = '' } = what;
  const key = `repair:${gateway}:${kind}:${movement}:${outTradeNo}:${outRefundNo}`;
  return asOperator(context, by, (_, note) =>
    note({ action: 'repair', subject: outTradeNo, details: { gateway, kind, movement }, key }),
  );
}

async function repairCharge(
  context: Context,
  gateway: PaymentGateway,
  { kind, outTradeNo }: Difference,
): Promise<RepairOutcome> {
  const status = await gateway.queryCharge(outTradeNo);
  const moved = status.state === 'paid' || status.state === 'refunded';
  if (kind === 'missingThere') return moved ? 'confirmed' : 'kept';
  if (!moved) return 'kept';
  const outcome = await applyPaid(context, gateway.id, status, 'reconciliation');
  return outcome === 'quarantined' ? 'quarantined' : 'repaired';
}

async function repairRefund(
  context: Context,
  gateway: PaymentGateway,
  difference: Difference,
): Promise<RepairOutcome> {
  const { kind, outTradeNo, outRefundNo } = difference;
  const charge = await context.store.read.charges.find(outTradeNo);
  const refunds = charge ? await context.store.read.refunds.ofOrder(charge.orderId) : [];
  const known = refunds.find(({ id, state }) =>
    outRefundNo === undefined ? state !== 'closed' : id === outRefundNo,
  );
  if (!charge || !known) {
    await quarantineRefund(context, gateway, difference);
    return 'quarantined';
  }
  const state = await queryRefundState(context, known, charge);
  if (kind === 'missingThere') return state === 'succeeded' ? 'confirmed' : 'kept';
  if (state !== 'succeeded') return 'kept';
  await applyRefund(context, known.id, state);
  const after = await context.store.read.refunds.find(known.id);
  return after?.state === 'succeeded' ? 'repaired' : 'kept';
}

/** Money that somebody sent back at the provider, without us. */
async function quarantineRefund(
  { store, ids, clock, log }: Context,
  gateway: PaymentGateway,
  difference: Difference,
): Promise<void> {
  const { outTradeNo, outRefundNo = '', theirsMinor = '' } = difference;
  const reason = 'refunded there without us';
  await store.transaction(({ inbox }) =>
    inbox.quarantine({
      id: ids.next('event'),
      ...{ gateway: gateway.id, outTradeNo, reason, status: difference, resolvedMs: null },
      atMs: clock.now(),
      key: [outTradeNo, outRefundNo, theirsMinor, 'refund', reason].join('|').slice(0, 400),
    }),
  );
  log.error('refund.quarantined', { gateway: gateway.id, outTradeNo, reason });
}
