import type { Context } from './context.js';
import { codeOf, NotificationRejected } from './errors/index.js';
import { isBought } from './open-orders.js';
import { want } from './outbox.js';
import type { GatewayId, GatewayNotification, RawNotification } from './ports/gateway.js';
import type { PreCheckout } from './ports/studio.js';
import { markOffered } from './stages/checkout.js';

/** Verify, record, answer. The work is done by `settle` and `refund`. */
export async function receiveNotification(
  context: Context,
  gatewayId: GatewayId,
  raw: RawNotification,
): Promise<'accepted' | 'rejected' | 'tryAgain'> {
  const gateway = context.gateways.get(gatewayId);
  if (!gateway) return 'rejected';
  let notification: GatewayNotification;
  try {
    notification = await gateway.openNotification(raw);
  } catch (error) {
    return refused(context, gatewayId, error);
  }
  try {
    await record(context, gatewayId, notification);
    return 'accepted';
  } catch (error) {
    const code = codeOf(error);
    context.log.error('notification.notRecorded', { gateway: gatewayId, code });
    return 'tryAgain';
  }
}

/** Logged once, without the content: it may hold secrets or personal data. */
function refused({ log }: Context, gateway: GatewayId, error: unknown): 'rejected' | 'tryAgain' {
  if (error instanceof NotificationRejected) {
    log.warn('notification.rejected', { gateway, reason: error.reason });
    return 'rejected';
  }
  const code = codeOf(error);
  log.error('notification.notOpened', { gateway, code });
  return 'tryAgain';
}

async function record(
  context: Context,
  gateway: GatewayId,
  { key, kind, charge, refund }: GatewayNotification,
): Promise<void> {
  const nowMs = context.clock.now();
  const outTradeNo = charge?.outTradeNo ?? refund?.outTradeNo ?? null;
  await context.store.transaction(async (tables) => {
    const outcome = await tables.inbox.add({
      ...{ gateway, key, outTradeNo, outRefundNo: refund?.outRefundNo ?? null },
      ...{ status: { kind, charge, refund }, receivedMs: nowMs, handledMs: null },
    });
    if (outcome === 'exists') return;
    const group = outTradeNo ?? gateway;
    const name = `${gateway}:${key}`.slice(0, 200);
    if (charge) {
      const payload = { chargeId: charge.outTradeNo };
      await want(tables, context, { name: 'settle', key: `settle:${name}`, payload, group });
    } else if (refund) {
      const payload = { refundId: refund.outRefundNo };
      await want(tables, context, { name: 'refund', key: `refund:${name}`, payload, group });
      await tables.inbox.handled(gateway, key, nowMs);
    } else {
      await tables.inbox.handled(gateway, key, nowMs);
    }
  });
}

/**
 * Stars: may this invoice still be paid? From the database alone, in milliseconds. Not for photos
 * that are bought or gone meanwhile: the money would buy nothing.
 */
export async function approvePreCheckout(
  context: Context,
  outTradeNo: string,
  amountMinor: number,
  currency: string,
): Promise<PreCheckout> {
  const { read } = context.store;
  const charge = await read.charges.find(outTradeNo);
  if (charge?.amountMinor !== amountMinor || charge.currency !== currency) return 'over';
  const order = await read.orders.find(charge.orderId);
  if (!order) return 'over';
  if (order.kind === 'unlock' && (await isBought(read, order.id))) return 'bought';
  const isOpen = charge.state === 'open' || charge.state === 'intent';
  if (!isOpen || charge.expiresMs <= context.clock.now()) return 'over';
  if (order.state !== 'pending' && order.state !== 'created') return 'over';
  for (const photoId of await read.orders.photosOf(order.id)) {
    const photo = await read.photos.find(photoId);
    if (photo?.state !== 'ready' || photo.originalKey === null) return 'over';
  }
  // Whoever wants to pay it has seen it, though the answer that told us of it may be lost.
  if (charge.state === 'intent') await markOffered(context, charge, { shownInChat: true });
  return 'approved';
}
