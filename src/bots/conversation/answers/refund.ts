import type { OrderView } from '../../../studio/ports/studio.js';
import type { Choice, Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  priceText,
  speak,
  type Talk,
  timeText,
} from '../talk.js';
import { inRows } from './general.js';

const ordersShown = 5;
const ordersLooked = 50;

/** Which order, or, when it is named: the operator is asked to give its money back. */
export async function refund(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  orderId: string | undefined,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  if (orderId) return ask(deps, talk, await deps.studio.order(talk.customer.id, orderId));
  const orders = await deps.studio.orders(talk.customer.id, ordersLooked);
  const paid = orders.filter(canGoBack).slice(0, ordersShown);
  if (paid.length === 0) {
    const support: Choice = { label: say('button.support'), intent: { kind: 'support' } };
    return [answer(talk, say('refund.none'), [[support]])];
  }
  const choices = paid.map((order) => ({
    label: say('refund.order', {
      amount: amountOf(order),
      date: timeText(config, order.paidAtMs ?? order.createdAtMs),
      what: say(`qr.${order.kind}`, { count: order.photoIds.length, credits: order.credits }),
    }),
    intent: { kind: 'refund', orderId: order.id } as const,
  }));
  return [answer(talk, say('refund.which'), inRows(choices, 1))];
}

const amountOf = ({ amountMinor, refundedMinor, currency }: OrderView) =>
  priceText(amountMinor - refundedMinor, currency);

function canGoBack({ paidAtMs, amountMinor, refundedMinor }: OrderView): boolean {
  return paidAtMs !== undefined && refundedMinor < amountMinor;
}

/** The operator decides: money never goes back because a button was pressed. */
async function ask(deps: ConversationDeps, talk: Talk, order: OrderView): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  if (!canGoBack(order)) return [answer(talk, say(`order.${order.state}`))];
  const heard = await deps.askRefund(talk, order);
  const { customerCode: code } = talk.customer;
  const told = { order: order.id, amount: amountOf(order), code };
  return [answer(talk, say(`refund.${heard}`, told))];
}
