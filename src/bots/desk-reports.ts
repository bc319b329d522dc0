import type { Actor, Operator } from '../studio/ports/operator.js';
import { priceText } from './conversation/talk.js';

const stuckMax = 10;

/** A text of the desk in the operator's language. */
export type Text = (key: string, params?: Readonly<Record<string, string | number>>) => string;

/** Numbers since midnight. */
export async function today(operator: Operator, text: Text): Promise<string> {
  const now = await operator.today();
  const { photos, ready, failed, waiting, newCustomers, quarantined } = now;
  const money = now.paid.map(({ currency, orders, amountMinor }) =>
    text('money', { orders, amount: priceText(amountMinor, currency) }),
  );
  return [
    text('today', { photos, ready, failed, waiting, newCustomers }),
    ...(money.length > 0 ? money : [text('noMoney')]),
    ...(quarantined > 0 ? [text('quarantined', { count: quarantined })] : []),
    ...(now.paused ? [text('paused')] : []),
  ].join('\n');
}

/** Photos that do not move. */
export async function stuck(operator: Operator, text: Text): Promise<string> {
  const photos = await operator.stuck(stuckMax);
  if (photos.length === 0) return text('noneStuck');
  return photos
    .map(({ photoId, customerCode, state, idleMs, lastError = '' }) =>
      text('stuckLine', {
        ...{ photoId, customerCode, state, lastError },
        minutes: Math.round(idleMs / 60_000),
      }),
    )
    .join('\n');
}

/** `/refund <order> [amount] [reason]`. */
export async function refund(
  operator: Operator,
  by: Actor,
  text: Text,
  rest: string,
  key: string,
): Promise<string> {
  const [orderId, second = '', ...words] = rest.split(/\s+/);
  if (!orderId) return text('refundUsage');
  const partial = /^\d+$/.test(second);
  const reason = [partial ? '' : second, ...words].join(' ').trim() || 'operator';
  const done = await operator.refund(by, orderId, {
    ...(partial ? { amountMinor: Number(second) } : {}),
    reason,
    key: `desk:${key}`,
  });
  return text('refunding', { orderId, amount: priceText(done.amountMinor, done.currency) });
}
