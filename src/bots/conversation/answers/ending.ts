import type { Reply } from '../reply.js';
import { answer, type ConversationDeps, speak, type Talk } from '../talk.js';

/** As many as one album holds. */
const photosMax = 50;

/** Cancel what is under way: the newest photo that waits, else the newest open order. */
export async function cancel(deps: ConversationDeps, talk: Talk): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const { id } = talk.customer;
  const photos = await deps.studio.photos(id, { limit: photosMax });
  const waiting = photos.filter((p) => ['received', 'queued', 'restoring'].includes(p.status));
  for (const photo of waiting) await deps.studio.cancelPhoto(id, photo.id);
  if (waiting.length > 0) return [answer(talk, say('cancelled.photos', { count: waiting.length }))];
  const open = (await deps.studio.orders(id, 5)).find((order) => order.state === 'pending');
  if (!open) return [answer(talk, say('cancelled.nothing'))];
  await deps.studio.cancelOrder(id, open.id);
  return [answer(talk, say('cancelled.order'))];
}

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
