import type { Context } from '../context.js';
import { GatewayRefused, GatewayUnknown, MethodUnavailable, StudioError } from '../errors/index.js';
import { type Job, priorities } from '../jobs.js';
import { chargeMoves, orderMoves } from '../order.js';
import { tell } from '../outbox.js';
import type { Language } from '../ports/basics.js';
import type { ChargeOffer, ChargeRequest } from '../ports/gateway.js';
import type { Tables } from '../ports/store.js';
import type { ChargeRecord, OrderRecord } from '../records.js';
import { assertMove } from '../state-machine.js';
import { orderClosed } from './order-news.js';
import { firstPollMs, nextLatePollMs } from './poll-schedule.js';

/** Constant per kind and language: customer text never enters signed strings. */
const subjects: Readonly<Record<OrderRecord['kind'], Readonly<Record<Language, string>>>> = {
  unlock: { 'zh-CN': '焕彩高清照片', en: 'Huancai HD photo' },
  topup: { 'zh-CN': '焕彩点数', en: 'Huancai credits' },
};

/** Ask the gateway for a code and send it: for orders whose caller died or got no answer. */
export async function checkout(context: Context, job: Job<'checkout'>): Promise<void> {
  const { orderId } = job.payload;
  // Whoever ordered has gone on: it must hear that there is nothing to pay.
  const refused: WhenRefused = (tables, order) => orderClosed(tables, context, order);
  const state = await askGateway(context, orderId, refused);
  if (state !== 'offered') return;
  await context.store.transaction(async (tables) => {
    const order = await tables.orders.find(orderId);
    if (order?.state !== 'pending') return;
    const event = { kind: 'order.offer', orderId } as const;
    const news = { customerId: order.customerId, key: `order.offer:${orderId}`, event };
    await tell(tables, context, news, priorities.money);
  });
}

/** The same at once, for a caller that waits. @throws {GatewayRefused} a final no. */
export async function offerCharge(context: Context, orderId: string): Promise<void> {
  try {
    await askGateway(context, orderId);
  } catch (error) {
    if (!(error instanceof StudioError) || error.retry === 'never') throw error;
    const { code, message: reason } = error;
    context.log.warn('charge.noAnswer', { orderId, code, reason });
  }
}

type Answer = 'offered' | 'known';
type WhenRefused = (tables: Tables, order: OrderRecord) => Promise<void>;

async function askGateway(
  context: Context,
  orderId: string,
  whenRefused?: WhenRefused,
): Promise<Answer> {
  const { read } = context.store;
  const [order, charge] = [await read.orders.find(orderId), await read.charges.ofOrder(orderId)];
  if (order?.state !== 'created' || charge?.state !== 'intent') return 'known';
  if (charge.expiresMs <= context.clock.now()) return 'known';
  const gateway = context.gateways.get(charge.gateway);
  if (!gateway) throw new MethodUnavailable(charge.gateway);
  try {
    await markOffered(context, charge, await gateway.createCharge(requestOf(order, charge)));
    return 'offered';
  } catch (error) {
    if (error instanceof GatewayRefused) await refuse(context, charge, error, whenRefused);
    if (error instanceof StudioError) throw error;
    // Nothing an adapter lets through may be taken for a no.
    throw new GatewayUnknown(charge.gateway, 'unexpected fault', error);
  }
}

function requestOf(order: OrderRecord, charge: ChargeRecord): ChargeRequest {
  return {
    outTradeNo: charge.id,
    amountMinor: charge.amountMinor,
    currency: charge.currency,
    // The order's own, not the customer's now: whatever is repeated is repeated with the same words.
    subject: subjects[order.kind][order.language ?? 'zh-CN'],
    expiresAtMs: charge.expiresMs,
    ...(order.chat.channel === 'telegram' ? { telegramChatId: order.chat.chatId } : {}),
  };
}

/** The provider has shown it: from now on it can be paid, and is not asked for again. */
export async function markOffered(
  context: Context,
  { id }: Pick<ChargeRecord, 'id'>,
  given: ChargeOffer,
): Promise<void> {
  await context.store.transaction(async (tables) => {
    const charge = await tables.charges.lock(id);
    // Paid or closed before the answer came.
    if (charge?.state !== 'intent') return;
    assertMove(chargeMoves, charge.state, 'open', id);
    const nextPollMs = firstPollMs(context.clock.now());
    await tables.charges.update(id, { state: 'open', offer: given, nextPollMs });
    const order = await tables.orders.lock(charge.orderId);
    if (order?.state !== 'created') return;
    assertMove(orderMoves, order.state, 'pending', order.id);
    await tables.orders.update(order.id, { state: 'pending' });
    await tables.outbox.done([`checkout:${order.id}`]);
  });
}

async function refuse(
  context: Context,
  { id }: ChargeRecord,
  reason: GatewayRefused,
  whenRefused: WhenRefused | undefined,
): Promise<void> {
  context.log.error('charge.refused', { chargeId: id, code: reason.providerCode });
  await context.store.transaction(async (tables) => {
    const charge = await tables.charges.lock(id);
    if (charge?.state !== 'intent') return;
    // A no to a repeated call may mean that the first one went through: money is still looked for.
    const nextPollMs = nextLatePollMs(charge, context.clock.now());
    await tables.charges.update(id, { state: 'closed', nextPollMs });
    const order = await tables.orders.lock(charge.orderId);
    if (order?.state !== 'created') return;
    assertMove(orderMoves, order.state, 'closed', order.id);
    await tables.orders.update(order.id, { state: 'closed' });
    await tables.outbox.done([`checkout:${order.id}`]);
    await whenRefused?.(tables, order);
  });
}
