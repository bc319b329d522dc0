import type { Context } from './context.js';
import { jobs } from './jobs.js';
import { photoMoves } from './photo.js';
import { photoOfRestore } from './places.js';
import { assertMove } from './state-machine.js';

/** Restores followed at once; the oldest are looked up again when they show up again. */
const ownersMax = 10_000;

/**
 * Listen to workers: the first sign of life of a restore makes its photo `restoring`, the rest
 * goes to whoever watches. Losing any of it harms nothing.
 * @returns unsubscribe.
 */
export function followProgress(context: Context): () => void {
  /** Owners of photos being restored, by job key. */
  const owners = new Map<string, Promise<string | undefined>>();
  return context.queue.onProgress(({ key, name, share }) => {
    if (jobs[name].lane !== 'photos') return;
    const photoId = photoOfRestore(key);
    if (!photoId) return;
    let owner = owners.get(key);
    if (!owner) {
      owner = started(context, photoId).catch(() => undefined);
      owners.set(key, owner);
      if (owners.size > ownersMax) owners.delete(owners.keys().next().value as string);
    }
    if (share >= 1) owners.delete(key);
    owner.then((customerId) => {
      if (customerId) context.live.emit({ customerId, photoId, kind: 'progress', progress: share });
    });
  });
}

async function started(context: Context, photoId: string): Promise<string | undefined> {
  return context.store.transaction(async ({ photos }) => {
    const photo = await photos.lock(photoId);
    if (!photo) return undefined;
    if (photo.state === 'queued') {
      assertMove(photoMoves, photo.state, 'restoring', photoId);
      await photos.update(photoId, { state: 'restoring', updatedMs: context.clock.now() });
    }
    return photo.customerId;
  });
}
