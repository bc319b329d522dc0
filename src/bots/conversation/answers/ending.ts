import { NotPossibleNow } from '../../../studio/errors/index.js';
import { limits } from '../../../studio/limits.js';
import { isUnderWay } from '../../../studio/photo.js';
import type { PhotoView } from '../../../studio/ports/studio.js';
import { albumPhotos, albumStanding } from '../albums.js';
import type { Reply } from '../reply.js';
import { answer, type ConversationDeps, speak, type Talk } from '../talk.js';

/** Cancel what is under way: the newest photo that waits, else the newest open order. */
export async function cancel(deps: ConversationDeps, talk: Talk): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const { id } = talk.customer;
  const photos = await deps.studio.photos(id, { limit: limits.chat.albumPhotos });
  const waiting = photos.filter((photo) => isUnderWay(photo.status));
  const cancelled: PhotoView[] = [];
  for (const photo of waiting) {
    const done = await deps.studio.cancelPhoto(id, photo.id).catch(unlessDone);
    if (done) cancelled.push(done);
  }
  if (cancelled.length > 0) {
    const told = answer(talk, say('cancelled.photos', { count: cancelled.length }));
    return [told, ...(await restOfAlbums(deps, talk, cancelled))];
  }
  const open = (await deps.studio.orders(id, 5)).find((order) => order.state === 'pending');
  if (!open) return [answer(talk, say('cancelled.nothing'))];
  await deps.studio.cancelOrder(id, open.id);
  return [answer(talk, say('cancelled.order'))];
}

/** It became ready in the same moment: the others are still to be cancelled. */
function unlessDone(error: unknown): undefined {
  if (!(error instanceof NotPossibleNow)) throw error;
}

/** What was done before the rest was cancelled is shown and priced: no news come of the others. */
async function restOfAlbums(
  deps: ConversationDeps,
  talk: Talk,
  cancelled: readonly PhotoView[],
): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const albumId of new Set(cancelled.map((photo) => photo.albumId))) {
    const photos = albumId ? await albumPhotos(deps, talk, albumId) : [];
    if (albumId && photos.some((photo) => photo.status === 'ready'))
      replies.push(...(await albumStanding(deps, talk, albumId)));
  }
  return replies;
}

/** Delete one photo, or ask what to delete. */
export async function deleteMenu(
  deps: ConversationDeps,
  talk: Talk,
  photoId: string | undefined,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  if (photoId) {
    await deps.studio.deletePhoto(talk.customer.id, photoId);
    return [answer(talk, say('deleted.one'))];
  }
  const [newest] = await deps.studio.photos(talk.customer.id, { limit: 1 });
  if (!newest) return [answer(talk, say('history.none'))];
  return [
    answer(talk, say('delete.ask'), [
      [{ label: say('delete.newest'), intent: { kind: 'delete', photoId: newest.id } }],
      [{ label: say('delete.all'), intent: { kind: 'deleteAll', confirmed: false } }],
    ]),
  ];
}

/** Delete everything, after asking once. */
export async function deleteAll(
  deps: ConversationDeps,
  talk: Talk,
  confirmed: boolean,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  if (confirmed) {
    await deps.studio.erase(talk.customer.id);
    return [answer(talk, say('deleted.all'))];
  }
  const yes = { label: say('delete.yes'), intent: { kind: 'deleteAll', confirmed: true } as const };
  return [answer(talk, say('delete.sure'), [[yes]])];
}
