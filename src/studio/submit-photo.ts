import type { Context } from './context.js';
import { lockCustomer, previewsLeft } from './customers.js';
import {
  DiskUnavailable,
  IntakeClosed,
  InvalidRequest,
  NotFound,
  QuotaExceeded,
  StudioError,
} from './errors/index.js';
import { safeFileName } from './file-name.js';
import { want } from './outbox.js';
import { addLooks, presetOf, queueRestore } from './photo-runs.js';
import { photoView } from './photo-views.js';
import type { PhotoInfo } from './ports/colorizer.js';
import type { Tables } from './ports/store.js';
import type { PhotoView, SubmitPhoto } from './ports/studio.js';
import type { CustomerRecord, PhotoRecord } from './records.js';
import { chronicle, inspected, line } from './timeline.js';

/** Setting that the operator flips to stop taking photos in. */
export const pausedSetting = 'intake.paused';

/** Take a photo in: recorded and answered at once, coloured later. Repeats answer the same photo. */
export async function submitPhoto(context: Context, submission: SubmitPhoto): Promise<PhotoView> {
  const { store } = context;
  const { file, fileRef, customerId } = submission;
  if ((file === undefined) === (fileRef === undefined)) {
    throw new InvalidRequest('photo', 'a file or a reference to one', 'none or both');
  }
  const repeat = await store.read.photos.byKey(customerId, submission.key);
  if (repeat) return photoView(context, repeat);
  await assertOpen(context);
  const info = file === undefined ? undefined : await inspectNow(context, file);
  // Before it is stored: the same photo is then the same blob, and no copy holds the place.
  if (file !== undefined) await context.files.removeLocation(file);
  const stored = file === undefined ? undefined : await context.blobs.putFile('original', file);
  const photo = await store.transaction((tables) =>
    record(tables, context, submission, stored?.key, info),
  );
  // Another photo with the same bytes may have been deleted, blob and all, just before we wrote.
  if (stored && !(await context.blobs.has(stored.key))) {
    throw new DiskUnavailable('blobs', 'the picture was removed while it was stored');
  }
  context.live.emit({ customerId: photo.customerId, photoId: photo.id, kind: 'photo' });
  return photoView(context, photo);
}

async function assertOpen({ store, blobs, config }: Context): Promise<void> {
  if ((await store.read.settings.get(pausedSetting)) === 'yes') throw new IntakeClosed('paused');
  const freeBytes = await blobs.freeBytes();
  if (freeBytes !== undefined && freeBytes < config.intake.minFreeBytes) {
    throw new IntakeClosed('disk');
  }
}

/** Bad files are refused on the spot; when the engine is busy or away, `intake` looks later. */
async function inspectNow({ colorizer }: Context, file: string): Promise<PhotoInfo | undefined> {
  try {
    return await colorizer.inspect(file);
  } catch (error) {
    if (error instanceof StudioError && error.retry !== 'never') return undefined;
    throw error;
  }
}

async function record(
  tables: Tables,
  context: Context,
  submission: SubmitPhoto,
  originalKey: string | undefined,
  info: PhotoInfo | undefined,
): Promise<PhotoRecord> {
  const customer = await lockCustomer(tables, submission.customerId);
  // Erased while the photo was on its way: it must not stay behind.
  if (customer.erasedMs !== null) throw new NotFound('customer');
  const same =
    (await tables.photos.byKey(customer.id, submission.key)) ??
    (originalKey && (await tables.photos.byOriginal(customer.id, originalKey)));
  if (same) return revive(tables, context, same);
  await assertRoom(tables, context, customer.id);
  const photo = newPhoto(context, customer, submission, originalKey, info);
  const preset = presetOf(context, photo.preset);
  await tables.photos.insert(photo);
  const looks = await addLooks(tables, context, photo.id, [
    {
      model: submission.model ?? preset.model,
      sizePx: submission.sizePx ?? preset.sizePx,
      finishing: { ...preset.finishing, ...customer.finishing, ...submission.finishing },
    },
  ]);
  const lines = [line(context, 'photo.received', { channel: photo.chat.channel })];
  if (info) lines.push(inspected(context, info));
  await chronicle(tables, photo.id, 'received', lines);
  if (info) await queueRestore(tables, context, photo, looks);
  else await queueIntake(tables, context, photo);
  return (await tables.photos.find(photo.id)) as PhotoRecord;
}

/** The same bytes again: what failed or was cancelled gets another chance. */
async function revive(tables: Tables, context: Context, photo: PhotoRecord): Promise<PhotoRecord> {
  if (photo.state !== 'failed' && photo.state !== 'cancelled') return photo;
  if (photo.originalKey === null) return photo;
  const looks = (await tables.looks.ofPhoto(photo.id)).filter((look) => look.state !== 'ready');
  await queueRestore(tables, context, photo, looks);
  return (await tables.photos.find(photo.id)) as PhotoRecord;
}

async function queueIntake(tables: Tables, context: Context, photo: PhotoRecord): Promise<void> {
  await want(tables, context, {
    name: 'intake',
    key: `intake:${photo.id}`,
    payload: { photoId: photo.id },
    group: photo.customerId,
  });
}

async function assertRoom(tables: Tables, context: Context, customerId: string): Promise<void> {
  const { intake, prices } = context.config;
  const mine = await tables.photos.countWaiting({ customerId });
  if (mine >= intake.waitingPerCustomer) throw new IntakeClosed('backlog');
  if ((await tables.photos.countWaiting({})) >= intake.waitingTotal) {
    throw new IntakeClosed('backlog');
  }
  if ((await previewsLeft(context, tables, customerId)) > 0) return;
  // The daily limit is for strangers; who has ever paid is welcome.
  if (!(await tables.orders.hasPaid(customerId))) {
    throw new QuotaExceeded(prices.freePreviewsPerDay);
  }
}

function newPhoto(
  { ids, clock }: Context,
  customer: CustomerRecord,
  submission: SubmitPhoto,
  originalKey: string | undefined,
  info: PhotoInfo | undefined,
): PhotoRecord {
  return {
    id: ids.next('photo'),
    customerId: customer.id,
    state: 'received',
    key: submission.key,
    chat: submission.chat,
    fileRef: submission.fileRef ?? null,
    fileName: safeFileName(submission.fileName),
    albumId: submission.albumId ?? null,
    preset: submission.preset ?? customer.preset,
    originalKey: originalKey ?? null,
    widthPx: info?.widthPx ?? null,
    heightPx: info?.heightPx ?? null,
    sheetKey: null,
    selectedLookId: null,
    masterKey: null,
    ...{ screenKey: null, labelChoice: null, labelChosenMs: null },
    masterLookId: null,
    error: null,
    runs: 0,
    createdMs: clock.now(),
    updatedMs: clock.now(),
  };
}
