import type { Context } from './context.js';
import { current } from './customers.js';
import { voidHold } from './holds.js';
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
  for (;;) {
    const photos = await context.store.read.photos.list(customer.id, 100);
    if (photos.length === 0) break;
    for (const { id } of photos) await deletePhoto(context, customer.id, id);
  }
  await context.store.transaction(async (tables) => {
    await tables.customers.dropIdentities(customer.id);
    for (const order of await tables.orders.list({ customerId: customer.id, limit: 10_000 })) {
      await tables.orders.update(order.id, { chat: { ...order.chat, chatId: '' } });
    }
    const { defaultPreset: preset } = context.config;
    const erasedMs = context.clock.now();
    await tables.customers.update(customer.id, { erasedMs, preset, finishing: {} });
  });
  context.log.info('customer.erased', { customerId: customer.id });
}

interface Gone {
  readonly blobs: readonly string[];
  readonly job: string;
}

async function wipe(tables: Tables, context: Context, photo: PhotoRecord): Promise<Gone> {
  assertMove(photoMoves, photo.state, 'deleted', photo.id);
  const looks = await tables.looks.ofPhoto(photo.id);
  const keys = looks.flatMap((look) => [look.chromaKey, look.previewKey, look.comparisonKey]);
  const blobs = [photo.originalKey, photo.masterKey, photo.sheetKey, ...keys];
  const hold = await tables.holds.active(photo.id);
  if (hold?.state === 'held') await voidHold(tables, context, hold, 'deleted');
  for (const look of looks) {
    const none = { chromaKey: null, previewKey: null, comparisonKey: null };
    await tables.looks.update(look.id, none);
  }
  await tables.timeline.drop(photo.id);
  await tables.photos.update(photo.id, {
    ...{ originalKey: null, masterKey: null, sheetKey: null, fileRef: null, error: null },
    ...{ state: 'deleted', chat: { ...photo.chat, chatId: '' }, updatedMs: context.clock.now() },
    // The same message may bring the same photo again.
    key: `deleted:${photo.id}`,
  });
  const job = photo.runs === 0 ? `intake:${photo.id}` : restoreKey(photo.id, photo.runs);
  await tables.outbox.done([job]);
  return { blobs: blobs.filter((key): key is string => key !== null), job };
}

async function finish(context: Context, customerId: string, photoId: string, gone: Gone) {
  await context.queue.cancel(gone.job).catch(() => false);
  await dropBlobs(context, gone.blobs);
  context.live.emit({ customerId, photoId, kind: 'photo' });
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
