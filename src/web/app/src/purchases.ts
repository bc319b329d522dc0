import { attempt, closeSheet, openSheet } from './actions';
import {
  ApiError,
  api,
  type Me,
  type Method,
  type Order,
  type PaymentNeeded,
  type Photo,
  refusal,
  type Unlocked,
} from './api';
import { getState, putOrder, putPhoto, setState } from './store';

/** HD for one or several: with credits at once, else choose how to pay, else straight to the code. */
export async function getHd(photoIds: readonly string[]): Promise<void> {
  const { me, prices } = getState();
  const methods = (prices?.methods ?? []).filter((method) => method !== 'credits');
  const enough = (me?.credits ?? 0) >= (prices?.hdCredits ?? 1) * photoIds.length;
  if (!enough && methods.length > 1) openSheet({ name: 'method', photoIds });
  else await unlock(photoIds, enough ? undefined : methods[0]);
}

/** HD with one payment: unlocked at once with credits, else the order's code is shown. */
export async function unlock(photoIds: readonly string[], method?: Method): Promise<void> {
  await attempt(async () => {
    const wish = `unlock ${photoIds} ${method}`;
    const body = { photoIds, method };
    const answer = await once<Unlocked | PaymentNeeded>(wish, '/unlocks', body);
    if ('order' in answer) {
      showOrder(answer.order);
      return;
    }
    closeSheet();
    for (const id of photoIds) putPhoto(await api<Photo>('GET', `/photos/${id}`));
    setState({ me: await api<Me>('GET', '/me') });
  });
}

/** Buy a pack of credits: shows the order's code. */
export async function topUp(pack: string, method: Method): Promise<void> {
  await attempt(async () => {
    const wish = `topup ${pack} ${method}`;
    const { order } = await once<PaymentNeeded>(wish, '/me/topups', { pack, method });
    showOrder(order);
  });
}

/** Keys of wishes whose answer never came: asked again, they are the same wish. */
const unanswered = new Map<string, string>();

async function once<T>(wish: string, path: string, body: unknown): Promise<T> {
  const key = unanswered.get(wish) ?? newKey();
  unanswered.set(wish, key);
  const forget = () => unanswered.delete(wish);
  try {
    const answer = await api<T>('POST', path, body, { 'idempotency-key': key });
    forget();
    return answer;
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'NETWORK')) forget();
    throw error;
  }
}

function showOrder(order: Order): void {
  putOrder(order);
  openSheet({ name: 'order', orderId: order.id });
}

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** Ask the provider now whether it was paid. */
export async function refreshOrder(id: string): Promise<void> {
  await attempt(async () => putOrder(await api<Order>('POST', `/orders/${id}/refresh`)));
}

/** Cancel an unpaid order and close its sheet. */
export async function giveUpOrder(id: string): Promise<void> {
  await attempt(async () => putOrder(await api<Order>('POST', `/orders/${id}/cancel`)));
  closeSheet();
}

/** The sandbox's till. Its address is the pay page's own. */
export async function paySandbox(order: Order): Promise<void> {
  await attempt(async () => {
    const response = await fetch(new URL(order.payUrl).pathname, { method: 'POST' });
    const answer = await response.json();
    if (!response.ok) throw refusal(answer, response.status);
    putOrder(await api<Order>('GET', `/orders/${order.id}`));
  });
}
