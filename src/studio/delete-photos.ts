import { concludeOrder } from './conclude-order.js';
import type { Context } from './context.js';
import { current } from './customers.js';
import { NotFound } from './errors/index.js';
import { voidHold } from './holds.js';
import { giveUp } from './orders.js';
import { photoMoves } from './photo.js';
import { restoreKey } from './photo-runs.js';
import { ownPhoto } from './photo-views.js';
import type { Tables } from './ports/store.js';
import type { PhotoRecord } from './records.js';
import { assertMove } from './state-machine.js';

/** The row stays without anything of the picture; its files go at once. */
export async function deletePhoto(context: Context, customerId: string, photoId: string) {
  const gone = await context.store.transaction(async (tables) => {
    const photo = await ownPhoto(tables, customerId, photoId, { lock: true });
    return wipe(tables, context, photo);
  });
  await finish(context, customerId, photoId, gone);
}

/**
 * Everything personal goes: photos, names in chats, language and settings. Orders, transfers and
 * balances stay under a number that leads to nobody.
 */
export async function erase(context: Context, customerId: string): Promise<void> {
  const customer = await current(context.store.read, customerId);
  await context.store.transaction((tables) => forgetOrders(tables, context, customer.id));
  do {
    for (const { id } of await context.store.read.photos.list(customer.id, 100)) {
      await deletePhoto(context, customer.id, id).catch(unlessGone);
    }
  } while (!(await forget(context, customer.id)));
  context.log.info('customer.erased', { customerId: customer.id });
}

/** @returns false while there are photos: one may have come in meanwhile. */
async function forget(context: Context, customerId: string): Promise<boolean> {
  return context.store.transaction(async (tables) => {
    await tables.customers.lock(customerId);
    if ((await tables.photos.list(customerId, 1)).length > 0) return false;
    await tables.customers.dropIdentities(customerId);
    await forgetOrders(tables, context, customerId);
    const { defaultPreset: preset } = context.config;
    const erasedMs = context.clock.now();
    await tables.customers.update(customerId, { erasedMs, preset, finishing: {} });
    return true;
  });
}

/** First of all: money that comes from now on finds nobody, and goes back. */
export async function forgetOrders(
  tables: Tables,
  context: Context,
  customerId: string,
): Promise<void> {
  for (const order of await tables.orders.list({ customerId, limit: 10_000 })) {
    await giveUp(tables, context, order);
    await tables.orders.update(order.id, { chat: { ...order.chat, chatId: '' } });
  }
}

/** Somebody erases the same customer at the same time. */
function unlessGone(error: unknown): void {
  if (!(error instanceof NotFound)) throw error;
}

interface Gone {
  readonly blobs: readonly string[];
  readonly job: string;
  /** Credits were set aside for it. */
  readonly held: boolean;
}

async function wipe(tables: Tables, context: Context, photo: PhotoRecord): Promise<Gone> {
  assertMove(photoMoves, photo.state, 'deleted', photo.id);
  const looks = await tables.looks.ofPhoto(photo.id);
  const keys = looks.flatMap((look) => [look.chromaKey, look.previewKey, look.comparisonKey]);
  const blobs = [photo.originalKey, photo.masterKey, photo.screenKey, photo.sheetKey, ...keys];
  const hold = await tables.holds.active(photo.id);
  const held = hold?.state === 'held';
  if (held) await voidHold(tables, context, hold, 'deleted');
  for (const look of looks) {
    const none = { chromaKey: null, previewKey: null, comparisonKey: null };
    await tables.looks.update(look.id, none);
  }
  await tables.timeline.drop(photo.id);
  await tables.photos.update(photo.id, {
    ...{
      originalKey: null,
      masterKey: null,
      screenKey: null,
      sheetKey: null,
      fileRef: null,
      fileName: null,
      error: null,
    },
    ...{ state: 'deleted', chat: { ...photo.chat, chatId: '' }, updatedMs: context.clock.now() },
    // The same message may bring the same photo again.
    key: `deleted:${photo.id}`,
  });
  const job = photo.runs === 0 ? `intake:${photo.id}` : restoreKey(photo.id, photo.runs);
  await tables.outbox.done([job]);
  if (held && hold.orderId) await concludeOrder(tables, context, hold.orderId);
  return { blobs: blobs.filter((key): key is string => key !== null), job, held };
}

async function finish(context: Context, customerId: string, photoId: string, gone: Gone) {
  await context.queue.cancel(gone.job).catch(() => false);
  await dropBlobs(context, gone.blobs);
  context.live.emit({ customerId, photoId, kind: 'photo' });
  if (gone.held) context.live.emit({ customerId, kind: 'credits' });
  context.log.info('photo.deleted', { photoId });
}

/** Delete files that no photo refers to any more; what fails now is left to the orphan sweeper. */
export async function dropBlobs(context: Context, keys: readonly string[]): Promise<number> {
  let dropped = 0;
  for (const key of new Set(keys)) {
    if (await context.store.read.photos.usesBlob(key)) continue;
    try {
      await context.blobs.delete(key);
      dropped += 1;
    } catch (error) {
      context.log.warn('blob.deleteFailed', { reason: String(error) });
    }
  }
  return dropped;
}
