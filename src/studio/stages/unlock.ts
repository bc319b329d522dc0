import type { ChromaPlane } from '../chroma-plane.js';
import { concludeOrder } from '../conclude-order.js';
import type { Context } from '../context.js';
import { current } from '../customers.js';
import { BlobMissing, BlobsAway, NotPossibleNow, StudioError } from '../errors/index.js';
import { postHold, voidHold } from '../holds.js';
import { type Job, priorities } from '../jobs.js';
import { noteWaiver } from '../label-choice.js';
import { isLabelVisible, labelFor } from '../label-text.js';
import { limits } from '../limits.js';
import { tell } from '../outbox.js';
import type { HoldRecord, LookRecord, PhotoRecord } from '../records.js';
import { chronicle, line } from '../timeline.js';

/**
 * Render the master from the kept plane, hand it over, post the hold. A posted hold whose photo
 * has another look chosen since, or whose master has expired, gets it made again for nothing.
 */
export async function unlock(context: Context, job: Job<'unlock'>): Promise<void> {
  const { photoId, holdId } = job.payload;
  const { read } = context.store;
  const hold = await read.holds.find(holdId);
  const photo = await read.photos.find(photoId);
  if (!hold || !photo || hold.state === 'voided' || photo.state === 'deleted') return;
  const look = photo.selectedLookId ? await read.looks.find(photo.selectedLookId) : undefined;
  if (hold.state === 'posted' && photo.masterKey && photo.masterLookId === look?.id) return;
  try {
    if (!look) throw new NotPossibleNow('unlock', photo.state);
    const files = await render(context, job, photo, look);
    await handOver(context, job, photo, look.id, files);
  } catch (error) {
    if (!(error instanceof StudioError) || job.signal.aborted) throw error;
    if (error instanceof BlobsAway) throw error;
    const last = job.attempt >= limits.studio.unlockAttempts;
    if (error.retry !== 'never' && !last) throw error;
    await unlockFailed(context, hold.id, error);
  }
}

async function render(
  context: Context,
  job: Job<'unlock'>,
  photo: PhotoRecord,
  look: LookRecord,
): Promise<PaidFiles> {
  const { blobs, files, colorizer, config, store } = context;
  if (photo.originalKey === null) throw new BlobMissing('original');
  const original = await blobs.localFile(photo.originalKey);
  const chroma = await planeOf(context, job, original, look);
  return files.scratch(async (dir) => {
    const { language } = await current(store.read, photo.customerId);
    const label = labelFor(context, photo.id, language, isLabelVisible(context, photo));
    const options = { ...look.finishing, label };
    const running = { signal: job.signal };
    const master = await colorizer.render(original, chroma, `${dir}/master`, options, {
      ...running,
      onProgress: (share) => job.progress(share),
    });
    const small = { ...options, format: 'jpeg', longEdgePx: config.preview.longEdgePx } as const;
    const screen = await colorizer.render(original, chroma, `${dir}/screen.jpg`, small, running);
    return {
      masterKey: (await blobs.putFile('master', master.file)).key,
      screenKey: (await blobs.putFile('screen', screen.file)).key,
    };
  });
}

/** What was paid for, and the same as large as a screen. */
type PaidFiles = Pick<PhotoRecord, 'masterKey' | 'screenKey'> & { readonly masterKey: string };

/** The kept plane; where its time is over, the same prediction again. */
async function planeOf(
  { blobs, files, planes, colorizer }: Context,
  { signal }: Job<'unlock'>,
  original: string,
  { chromaKey, model, sizePx, inputWidthPx, inputHeightPx }: LookRecord,
): Promise<ChromaPlane> {
  if (chromaKey !== null) return planes.decode(await files.read(await blobs.localFile(chromaKey)));
  const used = sizePx ?? Math.max(inputWidthPx ?? 0, inputHeightPx ?? 0);
  const options = { model, sizePx: used || undefined };
  return (await colorizer.predict(original, options, { signal })).chroma;
}

/** The file and the payment for it, in one transaction. */
async function handOver(
  context: Context,
  { key, payload: { photoId, holdId } }: Job<'unlock'>,
  { labelChosenMs }: PhotoRecord,
  lookId: string,
  files: PaidFiles,
): Promise<void> {
  const customerId = await context.store.transaction(async (tables) => {
    const photo = await tables.photos.lock(photoId);
    const hold = await tables.holds.lock(holdId);
    if (!photo || !hold || hold.state === 'voided' || photo.state === 'deleted') return undefined;
    // Another label was chosen while this was drawn: its own job draws it.
    if (photo.labelChosenMs !== labelChosenMs && hold.state === 'posted') return undefined;
    const { masterKey } = files;
    const updatedMs = context.clock.now();
    await tables.photos.update(photoId, { ...files, masterLookId: lookId, updatedMs });
    const { texts, without } = context.config.label;
    if (texts !== undefined && without === 'always')
      await noteWaiver(tables, context, photo, 'operator');
    if (hold.state === 'held') await postHold(tables, context, hold, masterKey);
    const step = ['master', hold.id, lookId, ...(labelChosenMs ? [labelChosenMs] : [])].join(':');
    await chronicle(tables, photoId, step, [line(context, 'photo.unlocked')]);
    const chosen = labelChosenMs ? { labelChosenMs } : {};
    const event = { kind: 'photo.master', photoId, masterKey, ...chosen } as const;
    const news = { customerId: photo.customerId, key: `photo.${step}`, event };
    await tell(tables, context, news, priorities.paid);
    if (hold.orderId !== null) await concludeOrder(tables, context, hold.orderId);
    await tables.outbox.done([key]);
    return photo.customerId;
  });
  if (!customerId) return;
  context.live.emit({ customerId, photoId, kind: 'photo' });
  context.log.info('photo.unlocked', { photoId, holdId });
}

/** It cannot be made: the credits go back, a paid order is refunded or stays as credits. */
export async function unlockFailed(
  context: Context,
  holdId: string,
  reason: StudioError,
): Promise<void> {
  const hold = await context.store.transaction(async (tables) => {
    const known = await tables.holds.lock(holdId);
    if (known?.state !== 'held') return undefined;
    await voidHold(tables, context, known, reason.code);
    await tellFailed(tables, context, known, reason);
    if (known.orderId !== null) await concludeOrder(tables, context, known.orderId);
    return known;
  });
  if (!hold) return;
  const { photoId, customerId } = hold;
  context.live.emit({ customerId, photoId, kind: 'photo' });
  context.live.emit({ customerId, kind: 'credits' });
  context.log.error('photo.unlockFailed', { photoId, holdId, code: reason.code });
}

async function tellFailed(
  tables: Parameters<typeof tell>[0],
  context: Context,
  hold: HoldRecord,
  { messageKey, params }: StudioError,
): Promise<void> {
  const event = { kind: 'photo.failed', photoId: hold.photoId, messageKey, params } as const;
  const news = { customerId: hold.customerId, key: `photo.unlockFailed:${hold.id}`, event };
  await tell(tables, context, news, priorities.paid);
}
