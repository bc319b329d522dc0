import assert from 'node:assert/strict';
import type { Context } from './context.js';
import { MethodUnavailable, NothingToPayWith } from './errors/index.js';
import type { ChatRef } from './jobs.js';
import { want } from './outbox.js';
import type { ChannelId } from './ports/basics.js';
import { isGateway, type PaymentGateway, type PaymentMethod } from './ports/gateway.js';
import type { Tables } from './ports/store.js';
import type { ChargeRecord, OrderRecord } from './records.js';

/** A gateway's answer that was lost is looked for after this long, ms. */
const recheckMs = 15_000;
const payTokenLength = 26;

/** Ways to pay that this channel offers now, best first. */
export function methodsOf({ config, gateways }: Context, channel: ChannelId): PaymentMethod[] {
  return config.methods[channel].filter((m) => isGateway(m) && gateways.has(m));
}

/** @throws {MethodUnavailable | NothingToPayWith} not configured, or not on this channel. */
export function gatewayFor(
  context: Context,
  channel: ChannelId,
  method: PaymentMethod | undefined,
): PaymentGateway {
  const offered = methodsOf(context, channel);
  const chosen = method ?? offered[0];
  if (!chosen) throw new NothingToPayWith();
  const gateway = isGateway(chosen) ? context.gateways.get(chosen) : undefined;
  if (!gateway || !offered.includes(chosen)) throw new MethodUnavailable(chosen);
  return gateway;
}

/** What is bought and for how much, in every currency. */
export interface NewOrder {
  readonly customerId: string;
  readonly kind: OrderRecord['kind'];
  readonly pack?: string;
  readonly photoIds: readonly string[];
  readonly credits: number;
  readonly amountFen: number;
  readonly stars: number;
  readonly chat: ChatRef;
}

/**
 * Write down the order, its charge and the wish to ask the gateway, before it is asked: whatever
 * crashes afterwards, somebody will look.
 */
export async function placeOrder(
  tables: Tables,
  context: Context,
  gateway: PaymentGateway,
  wanted: NewOrder,
): Promise<OrderRecord> {
  const { ids, clock, config } = context;
  const nowMs = clock.now();
  const amountMinor = gateway.currency === 'XTR' ? wanted.stars : wanted.amountFen;
  assert(Number.isSafeInteger(amountMinor) && amountMinor > 0, `amount ${amountMinor}`);
  const order: OrderRecord = {
    id: ids.next('order'),
    ...{ customerId: wanted.customerId, kind: wanted.kind, credits: wanted.credits },
    ...{ pack: wanted.pack ?? null, chat: wanted.chat, amountMinor, currency: gateway.currency },
    state: 'created',
    method: gateway.id,
    payToken: ids.code(payTokenLength),
    createdMs: nowMs,
    expiresMs: nowMs + config.orderMinutes * 60_000,
    paidMs: null,
    refundedMinor: 0,
    language: (await tables.customers.find(wanted.customerId))?.language ?? null,
  };
  await tables.orders.insert(order);
  await tables.orders.setPhotos(order.id, wanted.photoIds);
  await tables.charges.insert(newCharge(context, order, gateway));
  await want(tables, context, {
    name: 'checkout',
    key: `checkout:${order.id}`,
    payload: { orderId: order.id },
    group: order.customerId,
    // The caller asks the gateway itself, at once; the job is for when it dies or fails.
    notBeforeMs: nowMs + recheckMs,
  });
  return order;
}

function newCharge(
  { ids, clock }: Context,
  order: OrderRecord,
  gateway: PaymentGateway,
): ChargeRecord {
  const { amountMinor, currency, expiresMs } = order;
  return {
    id: ids.next('charge'),
    orderId: order.id,
    gateway: gateway.id,
    state: 'intent',
    ...{ amountMinor, currency, expiresMs },
    merchantId: gateway.merchantId,
    appId: gateway.appId,
    offer: null,
    providerId: null,
    paidMs: null,
    createdMs: clock.now(),
    nextPollMs: clock.now() + recheckMs,
    polls: 0,
  };
}
