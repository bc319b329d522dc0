import { type CustomerEvent, priorities } from '../jobs.js';
import { tell } from '../outbox.js';
import type { Clock } from '../ports/basics.js';
import type { Tables } from '../ports/store.js';
import type { OrderRecord } from '../records.js';

type Deps = { readonly clock: Clock };

/** Tell about an order, once per kind of news (and per `detail`). */
async function orderNews(
  tables: Tables,
  deps: Deps,
  order: OrderRecord,
  event: CustomerEvent,
  detail = '',
): Promise<void> {
  const key = `${event.kind}:${order.id}${detail}`;
  await tell(tables, deps, { customerId: order.customerId, key, event }, priorities.money);
}

export function orderPaid(tables: Tables, deps: Deps, order: OrderRecord) {
  return orderNews(tables, deps, order, { kind: 'order.paid', orderId: order.id });
}

export function orderClosed(tables: Tables, deps: Deps, order: OrderRecord) {
  return orderNews(tables, deps, order, { kind: 'order.closed', orderId: order.id });
}

export function orderCredited(
  tables: Tables,
  deps: Deps,
  order: OrderRecord,
  credits: number,
  reason: 'topup' | 'late' | 'failed',
) {
  const event = { kind: 'order.credited', orderId: order.id, credits, reason } as const;
  return orderNews(tables, deps, order, event, `:${reason}`);
}

/** @param refundId several partial refunds are several pieces of news. */
export function orderRefunded(
  tables: Tables,
  deps: Deps,
  order: OrderRecord,
  refundId: string,
  amountMinor: number,
) {
  const { id: orderId, currency } = order;
  const event = { kind: 'order.refunded', orderId, amountMinor, currency } as const;
  return orderNews(tables, deps, order, event, `:${refundId}`);
}
