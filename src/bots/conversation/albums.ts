import type { CustomerEvent } from '../../studio/jobs.js';
import type { PhotoView } from '../../studio/ports/studio.js';
import { picture, statusKey } from './photo-replies.js';
import { hdCost } from './price-of-hd.js';
import type { Reply } from './reply.js';
import { type ConversationDeps, speak, type Talk } from './talk.js';

interface AlbumState {
  readonly photoIds: readonly string[];
}

const stateName = (albumId: string) => `album:${albumId}`;
const finished = new Set(['ready', 'failed', 'cancelled', 'deleted']);

/**
 * Photos that arrived together are told about together; late ones join.
 * @returns all photos of the album so far, in the order they were sent.
 */
export async function rememberAlbum(
  deps: Pick<ConversationDeps, 'chatLog'>,
  talk: Talk,
  albumId: string,
  photoIds: readonly string[],
): Promise<readonly string[]> {
  const { channel, chatId } = talk.chat;
  const known = await deps.chatLog.state<AlbumState>(channel, chatId, stateName(albumId));
  const all = [...new Set([...(known?.photoIds ?? []), ...photoIds])];
  await deps.chatLog.setState(channel, chatId, stateName(albumId), { photoIds: all });
  return all;
}

/** The album's photos as they stand, in the order they were sent; [] when it is no album. */
export async function albumPhotos(
  deps: Pick<ConversationDeps, 'chatLog' | 'studio'>,
  talk: Pick<Talk, 'customer' | 'chat'>,
  albumId: string,
): Promise<PhotoView[]> {
  const { channel, chatId } = talk.chat;
  const album = await deps.chatLog.state<AlbumState>(channel, chatId, stateName(albumId));
  const photos: PhotoView[] = [];
  for (const id of album?.photoIds ?? [])
    photos.push(await deps.studio.photo(talk.customer.id, id));
  return photos;
}

/**
 * News about one photo of an album: the one progress message moves; when the last is through, the
 * previews come together, with one price for all.
 * @returns undefined when the photo belongs to no album.
 */
export async function albumNews(
  deps: ConversationDeps,
  talk: Pick<Talk, 'customer' | 'chat'>,
  event: Extract<CustomerEvent, { kind: 'photo.preview' | 'photo.failed' }>,
): Promise<Reply[] | undefined> {
  const photo = await deps.studio.photo(talk.customer.id, event.photoId);
  const { albumId } = photo;
  if (!albumId) return undefined;
  const photos = await albumPhotos(deps, talk, albumId);
  if (photos.length < 2) return undefined;
  const isFirstLook = event.kind === 'photo.failed' || photo.looks[0]?.id === event.lookId;
  if (!isFirstLook) return undefined;
  const say = speak(deps, talk.customer);
  const ready = photos.filter((one) => one.status === 'ready');
  const through = photos.filter((one) => finished.has(one.status));
  const status = statusKey({ albumId });
  if (through.length < photos.length) {
    const params = { done: through.length, count: photos.length };
    return [{ key: status, text: say('album.progress', params), passing: true }];
  }
  const failed = photos.length - ready.length;
  const done = say(failed > 0 ? 'album.doneWithFailures' : 'album.done', {
    count: ready.length,
    failed,
  });
  if (ready.length === 0) return [{ key: status, text: done }];
  const previews = ready
    .map((one) => one.looks[0]?.comparisonKey)
    .filter((key) => key !== undefined);
  const choices = [
    [
      {
        label: say('button.hdAll', {
          count: ready.length,
          price: await hdCost(deps, talk, ready.length),
        }),
        intent: { kind: 'hdAlbum', albumId } as const,
      },
    ],
    [{ label: say('button.history'), intent: { kind: 'history' } as const }],
  ];
  return [
    { key: status, text: done, passing: true },
    {
      // Late photos may join: then all are shown once more, with one price for all.
      key: `album:${albumId}:${photos.length}`,
      text: say('album.choose'),
      pictures: previews.map(picture),
      choices,
    },
  ];
}
