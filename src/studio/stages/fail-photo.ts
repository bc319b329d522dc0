import type { Context } from '../context.js';
import type { StudioError } from '../errors/index.js';
import { priorities } from '../jobs.js';
import { tell } from '../outbox.js';
import { photoMoves, photoStates } from '../photo.js';
import type { Tables } from '../ports/store.js';
import type { PhotoError, PhotoRecord } from '../records.js';
import { assertMove } from '../state-machine.js';
import { chronicle, line } from '../timeline.js';

/**
 * A run of a photo ended badly: its looks fail, the customer is told why. A photo that has looks
 * already stays ready with those.
 * @param step natural name of the run.
 */
export async function failPhoto(
  context: Context,
  photoId: string,
  step: string,
  error: PhotoError | StudioError,
): Promise<void> {
  const { code, messageKey, params } = error;
  await context.store.transaction(async (tables) => {
    const photo = await tables.photos.lock(photoId);
    if (!photo || photoStates[photo.state] === 'over') return;
    await markFailed(tables, context, photo, step, { code, messageKey, params });
  });
  const photo = await context.store.read.photos.find(photoId);
  if (photo) context.live.emit({ customerId: photo.customerId, photoId, kind: 'photo' });
  context.log.info('photo.failed', { photoId, code });
}

/** The same inside a transaction, with the photo locked. */
export async function markFailed(
  tables: Tables,
  context: Context,
  photo: PhotoRecord,
  step: string,
  error: PhotoError,
): Promise<void> {
  const looks = await tables.looks.ofPhoto(photo.id);
  const waiting = looks.filter((look) => look.state === 'waiting');
  for (const look of waiting) await tables.looks.update(look.id, { state: 'failed' });
  const updatedMs = context.clock.now();
  if (photo.state === 'ready') {
    if (waiting.length === 0) return;
    await tables.photos.update(photo.id, { error, updatedMs });
  } else {
    assertMove(photoMoves, photo.state, 'failed', photo.id);
    await tables.photos.update(photo.id, { state: 'failed', error, updatedMs });
  }
  const { code, messageKey, params } = error;
  const entry = line(context, 'photo.failed', { ...params, code });
  await chronicle(tables, photo.id, `failed:${step}`, [entry]);
  const event = { kind: 'photo.failed', photoId: photo.id, messageKey, params } as const;
  const news = { customerId: photo.customerId, key: `photo.failed:${step}`, event };
  await tell(tables, context, news, priorities.free);
}
