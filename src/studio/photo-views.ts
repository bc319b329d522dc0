import type { Context } from './context.js';
import { NotFound } from './errors/index.js';
import { labelChoiceOf } from './label-text.js';
import { restoreKey } from './photo-runs.js';
import type { PlaceInQueue } from './ports/queue.js';
import type { Tables } from './ports/store.js';
import type { LookView, PhotoView } from './ports/studio.js';
import type { LookRecord, PhotoRecord } from './records.js';

/** Guess for a place in the queue that the queue itself cannot tell yet, seconds per photo. */
const typicalSeconds = 5;

/** @throws {NotFound} not there, deleted, or somebody else's. */
export async function ownPhoto(
  tables: Tables,
  customerId: string,
  photoId: string,
  options: { lock?: boolean } = {},
): Promise<PhotoRecord> {
  const { photos } = tables;
  const photo = await (options.lock ? photos.lock(photoId) : photos.find(photoId));
  if (photo?.customerId !== customerId || photo.state === 'deleted') throw new NotFound('photo');
  return photo;
}

/** Has or may have a place in the line. */
export const waits = ({ state }: PhotoRecord): boolean =>
  state === 'received' || state === 'queued' || state === 'restoring';

/** @param places a look at the line that is at hand; absent: the queue is asked for this photo. */
export async function photoView(
  context: Context,
  photo: PhotoRecord,
  places?: ReadonlyMap<string, PlaceInQueue>,
): Promise<PhotoView> {
  const { read } = context.store;
  const looks = await read.looks.ofPhoto(photo.id);
  const hold = await read.holds.active(photo.id);
  return {
    id: photo.id,
    customerId: photo.customerId,
    status: photo.state,
    sentAs: { channel: photo.chat.channel, key: photo.key },
    preset: photo.preset,
    createdAtMs: photo.createdMs,
    looks: looks.map(lookView),
    unlocked: hold !== undefined,
    ...present({
      albumId: photo.albumId,
      fileName: photo.fileName,
      widthPx: photo.widthPx,
      heightPx: photo.heightPx,
      selectedLookId: photo.selectedLookId,
      sheetKey: photo.sheetKey,
      masterKey: hold && photo.masterLookId === photo.selectedLookId ? photo.masterKey : null,
      screenKey: hold && photo.masterLookId === photo.selectedLookId ? photo.screenKey : null,
      label: labelChoiceOf(context, photo),
      originalKey: photo.originalKey,
      error: photo.error,
    }),
    ...(await waiting(context, photo, places)),
  };
}

async function waiting(
  context: Context,
  photo: PhotoRecord,
  places?: ReadonlyMap<string, PlaceInQueue>,
) {
  const placeOf = async () =>
    // A queue that is away must not hide the photo.
    places?.get(photo.id) ??
    context.queue.position(restoreKey(photo.id, photo.runs)).catch(() => undefined);
  if (photo.state === 'restoring' || photo.state === 'ready') {
    const progress = context.live.progress(photo.id);
    return { ...(progress === undefined ? {} : { progress }), ...(await resting(photo, placeOf)) };
  }
  if (photo.state !== 'queued' && photo.state !== 'received') return {};
  const place = await placeOf();
  if (place) return place;
  const filter = { beforeMs: photo.createdMs };
  const position = await context.store.read.photos.countWaiting(filter);
  return { position, etaSeconds: (position + 1) * typicalSeconds };
}

/** Given back by a card that became too hot: its share done says nothing any more. */
async function resting(photo: PhotoRecord, placeOf: () => Promise<PlaceInQueue | undefined>) {
  if (photo.state !== 'restoring') return {};
  const place = await placeOf();
  if (place?.waitingFor === undefined) return {};
  return { waitingFor: place.waitingFor, etaSeconds: place.etaSeconds };
}

function lookView(look: LookRecord): LookView {
  const { id, index, state, model, finishing, notes } = look;
  const { sizePx, provider, seconds, previewKey, comparisonKey } = look;
  return {
    ...{ id, index, state, model, finishing, notes },
    ...present({ sizePx, provider, seconds, previewKey, comparisonKey }),
  };
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Fields that are null or undefined are left out. */
function present<T extends object>(fields: T): Present<T> {
  const entries = Object.entries(fields).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as Present<T>;
}
