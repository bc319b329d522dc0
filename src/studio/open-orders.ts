import type { Context } from './context.js';
import type { ChatRef } from './jobs.js';
import { giveUp } from './orders.js';
import type { GatewayId } from './ports/gateway.js';
import type { Tables } from './ports/store.js';
import type { OrderRecord } from './records.js';

/** What somebody wants to pay, and how. */
export interface Payable {
  readonly customerId: string;
  readonly photoIds: readonly string[];
  readonly method: GatewayId;
  readonly amountMinor: number;
  readonly chat: ChatRef;
}

/**
 * The order that can be paid for exactly these photos already: whoever taps twice gets the same
 * invoice. An invoice that was sent into a chat cannot be shown in another one.
 * @param tables of the transaction that holds the customer's lock.
 */
export async function openOrderFor(
  tables: Tables,
  { clock }: Context,
  wanted: Payable,
): Promise<OrderRecord | undefined> {
  const photoIds = [...wanted.photoIds].sort().join();
  for (const order of await tables.orders.open(wanted.customerId)) {
    if (order.kind !== 'unlock' || order.expiresMs <= clock.now()) continue;
    if (order.method !== wanted.method || order.amountMinor !== wanted.amountMinor) continue;
    if ((await tables.orders.photosOf(order.id)).sort().join() !== photoIds) continue;
    const isHere =
      order.chat.channel === wanted.chat.channel && order.chat.chatId === wanted.chat.chatId;
    const charge = await tables.charges.ofOrder(order.id);
    if (isHere || charge?.offer?.qr !== undefined) return order;
  }
  return undefined;
}

/**
 * Photos were bought: every other open order with one of them expires, so that nobody pays for a
 * file twice. Runs in the transaction that sets the credits aside.
 */
export async function giveUpOthers(
  tables: Tables,
  context: Context,
  customerId: string,
  photoIds: ReadonlySet<string>,
  boughtWith?: string,
): Promise<void> {
  for (const order of await tables.orders.open(customerId)) {
    if (order.id === boughtWith || order.kind !== 'unlock') continue;
    const photos = await tables.orders.photosOf(order.id);
    if (photos.some((id) => photoIds.has(id))) await giveUp(tables, context, order);
  }
}

/** Whether any of an order's photos is bought already. */
export async function isBought(tables: Tables, orderId: string): Promise<boolean> {
  for (const photoId of await tables.orders.photosOf(orderId))
    if (await tables.holds.active(photoId)) return true;
  return false;
}
