import type { Context } from './context.js';
import { lockCustomer } from './customers.js';
import {
  CreditsInsufficient,
  IdempotencyConflict,
  InvalidRequest,
  NotFound,
  NotPossibleNow,
} from './errors/index.js';
import { holdCredits, masterAgain } from './holds.js';
import type { ChatRef } from './jobs.js';
import { creditsOf } from './ledger.js';
import { limits } from './limits.js';
import { giveUpOthers, openOrderFor } from './open-orders.js';
import { orderView } from './order-views.js';
import { want } from './outbox.js';
import { ownPhoto } from './photo-views.js';
import { gatewayFor, placeOrder } from './place-order.js';
import type { Currency, PaymentMethod } from './ports/gateway.js';
import type { Tables } from './ports/store.js';
import type { CreditPack, OrderView, UnlockResult } from './ports/studio.js';
import type { OrderRecord, PhotoRecord } from './records.js';
import { offerCharge } from './stages/checkout.js';

export interface UnlockOptions {
  readonly key: string;
  readonly method?: PaymentMethod;
  readonly chat: ChatRef;
}

/** HD: with credits at once, else an order to pay. One price and one payment for all photos. */
export async function unlock(
  context: Context,
  customerId: string,
  photoIds: readonly string[],
  options: UnlockOptions,
): Promise<UnlockResult> {
  const wanted = [...new Set(photoIds)];
  const max = limits.studio.photosPerOrder;
  if (wanted.length === 0 || wanted.length > max) {
    throw new InvalidRequest('photoIds', `1 … ${max}`, String(wanted.length));
  }
  const { order, again } = await context.store.transaction(async (tables) => {
    const { id } = await lockCustomer(tables, customerId);
    const request = `unlock:${options.method ?? ''}:${[...wanted].sort().join(',')}`;
    const known = await recall(tables, id, options.key, request);
    if (known) return known;
    const made = await unlockNow(tables, context, id, wanted, options);
    await tables.orders.addWish({
      ...{ customerId: id, key: options.key, request: made.again ? againOf(request) : request },
      orderId: made.order?.id ?? null,
    });
    return made;
  });
  for (const photoId of wanted) context.live.emit({ customerId, photoId, kind: 'photo' });
  if (!order) {
    context.live.emit({ customerId, kind: 'credits' });
    return { status: 'unlocked' };
  }
  return { status: 'payment', again, order: await offered(context, order) };
}

/** Credits to have. */
export async function topUp(
  context: Context,
  customerId: string,
  packId: string,
  options: UnlockOptions & { readonly method: PaymentMethod },
): Promise<OrderView> {
  const gateway = gatewayFor(context, options.chat.channel, options.method);
  const pack = packOf(context, packId, gateway.currency);
  const order = await context.store.transaction(async (tables) => {
    const { id } = await lockCustomer(tables, customerId);
    const request = `topup:${options.method}:${packId}`;
    const known = await recall(tables, id, options.key, request);
    if (known?.order) return known.order;
    const { credits, amountFen, stars = 0 } = pack;
    const order = await placeOrder(tables, context, gateway, {
      ...{ customerId: id, kind: 'topup', pack: packId, photoIds: [], chat: options.chat },
      ...{ credits, amountFen, stars },
    });
    await tables.orders.addWish({ customerId: id, key: options.key, request, orderId: order.id });
    return order;
  });
  return offered(context, order);
}

/** @throws {InvalidRequest} no such pack, or none with a price in Stars. */
function packOf({ config }: Context, packId: string, currency: Currency): CreditPack {
  const packs = config.prices.packs.filter((one) => currency === 'CNY' || one.stars !== undefined);
  const pack = packs.find((one) => one.id === packId);
  if (pack) return pack;
  throw new InvalidRequest('pack', packs.map((one) => one.id).join(', '), packId.slice(0, 40));
}

/** How a wish is written down that found another one's order open: a repeat must know. */
const againOf = (request: string) => `again:${request}`;

/** What a wish led to. */
interface Led {
  /** Absent: credits covered it. */
  readonly order?: OrderRecord;
  /** Another wish had made the order. */
  readonly again: boolean;
}

/** What an earlier wish under this key led to. @throws {IdempotencyConflict} other wish, same key. */
async function recall(
  tables: Tables,
  customerId: string,
  key: string,
  request: string,
): Promise<Led | undefined> {
  const wish = await tables.orders.wish(customerId, key);
  if (!wish) return undefined;
  const again = wish.request === againOf(request);
  if (!again && wish.request !== request) throw new IdempotencyConflict();
  if (wish.orderId === null) return { again };
  const order = await tables.orders.find(wish.orderId);
  if (!order) throw new NotFound('order');
  return { order, again };
}

/** Take credits, or find or make an order. */
async function unlockNow(
  tables: Tables,
  context: Context,
  customerId: string,
  photoIds: readonly string[],
  options: UnlockOptions,
): Promise<Led> {
  const photos: PhotoRecord[] = [];
  // One order of locks for all callers.
  for (const id of [...photoIds].sort()) {
    const photo = await ownPhoto(tables, customerId, id, { lock: true });
    const hold = await tables.holds.active(id);
    if (hold?.state === 'posted' && photo.masterKey === null && photo.originalKey !== null) {
      await want(tables, context, masterAgain(context, hold, photo));
    }
    if (hold) continue;
    if (photo.state !== 'ready' || photo.originalKey === null) {
      throw new NotPossibleNow('unlock', photo.state === 'ready' ? 'expired' : photo.state);
    }
    photos.push(photo);
  }
  if (photos.length === 0) return { again: false };
  const { hdCredits, hdAmountFen, hdStars } = context.config.prices;
  const credits = hdCredits * photos.length;
  const available = await creditsOf(tables, customerId);
  const { method, chat } = options;
  if (method === 'credits' || (method === undefined && available >= credits)) {
    if (available < credits) throw new CreditsInsufficient(credits, available);
    for (const photo of photos) await holdCredits(tables, context, photo, hdCredits, null);
    await giveUpOthers(tables, context, customerId, new Set(photos.map((one) => one.id)));
    return { again: false };
  }
  const gateway = gatewayFor(context, chat.channel, method);
  const wanted = { customerId, photoIds: photos.map((one) => one.id), chat };
  const [amountFen, stars] = [hdAmountFen * photos.length, hdStars * photos.length];
  const amountMinor = gateway.currency === 'XTR' ? stars : amountFen;
  const payable = { ...wanted, method: gateway.id, amountMinor };
  const open = await openOrderFor(tables, context, payable);
  if (open) return { order: open, again: true };
  const wish = { ...wanted, kind: 'unlock', credits, amountFen, stars } as const;
  return { order: await placeOrder(tables, context, gateway, wish), again: false };
}

/** Ask the gateway now; when it does not answer, the order waits and `checkout` asks again. */
async function offered(context: Context, order: OrderRecord): Promise<OrderView> {
  if (order.state === 'created') await offerCharge(context, order.id);
  context.live.emit({ customerId: order.customerId, orderId: order.id, kind: 'order' });
  const now = await context.store.read.orders.find(order.id);
  return orderView(context, now ?? order);
}
