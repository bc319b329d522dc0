import type { Context } from './context.js';
import { NotFound } from './errors/index.js';
import type { Tables } from './ports/store.js';
import type { OrderView } from './ports/studio.js';
import type { OrderRecord } from './records.js';

/** @throws {NotFound} not there or somebody else's. */
export async function ownOrder(
  tables: Tables,
  customerId: string,
  orderId: string,
): Promise<OrderRecord> {
  const order = await tables.orders.find(orderId);
  if (order?.customerId !== customerId) throw new NotFound('order');
  return order;
}

/** An order as its customer sees it; the code only while it can be paid. */
export async function orderView(context: Context, order: OrderRecord): Promise<OrderView> {
  const { read } = context.store;
  const charge = await read.charges.ofOrder(order.id);
  const payable = order.state === 'pending' && order.expiresMs > context.clock.now();
  const offer = payable ? charge?.offer : undefined;
  return {
    id: order.id,
    customerId: order.customerId,
    state: order.state,
    kind: order.kind,
    photoIds: await read.orders.photosOf(order.id),
    credits: order.credits,
    amountMinor: order.amountMinor,
    currency: order.currency,
    method: order.method,
    createdAtMs: order.createdMs,
    expiresAtMs: order.expiresMs,
    refundedMinor: order.refundedMinor,
    payPath: `/pay/${order.payToken}`,
    ...(order.pack === null ? {} : { pack: order.pack }),
    ...(order.paidMs === null ? {} : { paidAtMs: order.paidMs }),
    ...(offer?.qr === undefined ? {} : { qr: offer.qr }),
    ...(offer?.appUrl === undefined ? {} : { appUrl: offer.appUrl }),
  };
}
