import type { Context } from './context.js';
import { NotFound, NotPossibleNow } from './errors/index.js';
import { masterAgain } from './holds.js';
import type { TimelineEntry } from './jobs.js';
import { want } from './outbox.js';
import { photoMoves } from './photo.js';
import { addLooks, presetOf, queueRestore, restoreKey } from './photo-runs.js';
import { ownPhoto, photoView, waits } from './photo-views.js';
import type { Finishing } from './ports/colorizer.js';
import type { Tables } from './ports/store.js';
import type { PhotoView } from './ports/studio.js';
import type { LookRecord, PhotoRecord } from './records.js';
import { assertMove } from './state-machine.js';
import { chronicle, line } from './timeline.js';

/** One of the customer's own photos. @throws {NotFound} */
export async function photo(context: Context, customerId: string, photoId: string) {
  return photoView(context, await ownPhoto(context.store.read, customerId, photoId));
}

/** The customer's photos, newest first. @param page `before` is the id of the last one seen. */
export async function photos(
  context: Context,
  customerId: string,
  page: { limit: number; before?: string },
): Promise<PhotoView[]> {
  const found = await context.store.read.photos.list(customerId, page.limit, page.before);
  // One look at the line for the whole page.
  const places = found.some(waits) ? await context.places.now() : undefined;
  return Promise.all(found.map((one) => photoView(context, one, places)));
}

/** What happened to one of the customer's own photos. @throws {NotFound} */
export async function timeline(
  { store }: Context,
  customerId: string,
  photoId: string,
): Promise<TimelineEntry[]> {
  await ownPhoto(store.read, customerId, photoId);
  const lines = await store.read.timeline.ofPhoto(photoId);
  return lines.map(({ atMs, event, details }) => ({ atMs, event, details }));
}

/** Another look: the next of the configured variants, reusing a plane where only finishing differs. */
export function addVariants(context: Context, customerId: string, photoId: string, count: number) {
  return change(context, customerId, photoId, async (tables, photo) => {
    const looks = await tables.looks.ofPhoto(photo.id);
    const first = readyLook(photo, looks);
    const preset = presetOf(context, photo.preset);
    const { variants } = context.config;
    const wanted = Array.from({ length: count }, (_, i) => {
      const variant = variants[(looks.length - 1 + i) % variants.length] ?? { finishing: {} };
      const model = variant.model ?? preset.model;
      const sizePx = variant.sizePx ?? first.sizePx ?? undefined;
      const finishing = { ...preset.finishing, ...variant.finishing };
      const known = looks.find(
        (look) => look.model === model && (look.sizePx ?? undefined) === sizePx && look.chromaKey,
      );
      return { model, sizePx, finishing, chromaKey: known?.chromaKey ?? undefined };
    });
    await queueRestore(tables, context, photo, await addLooks(tables, context, photo.id, wanted));
  });
}

/** Same plane, other finishing; no inference. */
export function adjust(
  context: Context,
  customerId: string,
  photoId: string,
  finishing: Finishing,
): Promise<PhotoView> {
  return change(context, customerId, photoId, async (tables, photo) => {
    const looks = await tables.looks.ofPhoto(photo.id);
    const base = looks.find((look) => look.id === photo.selectedLookId) ?? readyLook(photo, looks);
    const { model, sizePx, chromaKey } = base;
    const wanted = {
      ...{ model, sizePx: sizePx ?? undefined, chromaKey: chromaKey ?? undefined },
      finishing: { ...base.finishing, ...finishing },
    };
    await queueRestore(tables, context, photo, await addLooks(tables, context, photo.id, [wanted]));
  });
}

/** Whoever has HD already gets the HD of the newly chosen look for nothing. */
export function selectLook(context: Context, customerId: string, photoId: string, lookId: string) {
  return change(context, customerId, photoId, async (tables, photo) => {
    const look = await tables.looks.find(lookId);
    if (look?.photoId !== photo.id) throw new NotFound('look');
    if (look.state !== 'ready') throw new NotPossibleNow('select', look.state);
    await tables.photos.update(photo.id, { selectedLookId: look.id });
    const hold = await tables.holds.active(photo.id);
    if (!hold || photo.masterLookId === look.id) return;
    if (photo.originalKey === null) throw new NotPossibleNow('select', 'expired');
    await want(tables, context, masterAgain(context, hold, photo));
  });
}

/** Stops waiting or running work; a photo that has looks already keeps them. */
export async function cancelPhoto(context: Context, customerId: string, photoId: string) {
  const key = await context.store.transaction(async (tables) => {
    const photo = await ownPhoto(tables, customerId, photoId, { lock: true });
    if (photo.state === 'cancelled') return undefined;
    if (photo.state === 'ready' || photo.state === 'failed') {
      throw new NotPossibleNow('cancel', photo.state);
    }
    assertMove(photoMoves, photo.state, 'cancelled', photo.id);
    await tables.photos.update(photo.id, { state: 'cancelled', updatedMs: context.clock.now() });
    await failWaiting(tables, await tables.looks.ofPhoto(photo.id));
    const step = `cancelled:${photo.runs}`;
    await chronicle(tables, photo.id, step, [line(context, 'photo.cancelled')]);
    const job = photo.runs === 0 ? `intake:${photo.id}` : restoreKey(photo.id, photo.runs);
    await tables.outbox.done([job]);
    return job;
  });
  // A queue that is away cancels nothing; the outcome is then dropped when it arrives.
  if (key) await context.queue.cancel(key).catch(() => false);
  context.live.emit({ customerId, photoId, kind: 'photo' });
  return photo(context, customerId, photoId);
}

async function failWaiting(tables: Tables, looks: readonly LookRecord[]): Promise<void> {
  for (const look of looks) {
    if (look.state === 'waiting') await tables.looks.update(look.id, { state: 'failed' });
  }
}

async function change(
  context: Context,
  customerId: string,
  photoId: string,
  work: (tables: Tables, photo: PhotoRecord) => Promise<void>,
): Promise<PhotoView> {
  await context.store.transaction(async (tables) => {
    const one = await ownPhoto(tables, customerId, photoId, { lock: true });
    if (one.state !== 'ready') throw new NotPossibleNow('change', one.state);
    await work(tables, one);
  });
  context.live.emit({ customerId, photoId, kind: 'photo' });
  return photo(context, customerId, photoId);
}

function readyLook(photo: PhotoRecord, looks: readonly LookRecord[]): LookRecord {
  const look = looks.find((one) => one.state === 'ready');
  if (!look) throw new NotPossibleNow('change', photo.state);
  return look;
}
