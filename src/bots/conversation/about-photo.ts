import type { PhotoView } from '../../studio/ports/studio.js';
import { type AlbumContent, albumContent } from './album-state.js';
import type { Reply } from './reply.js';
import { type ConversationDeps, speak, type Talk } from './talk.js';

type Deps = Pick<ConversationDeps, 'chatLog' | 'messages'>;
type Listener = Pick<Talk, 'customer' | 'chat'>;

/** How many photos were sent in one go, those that were not taken included. */
export function sentCount({ photoIds, refused }: AlbumContent): number {
  return photoIds.length + Object.keys(refused ?? {}).length;
}

/** Which photo of its album this is, as a person counts; undefined for a photo on its own. */
export async function numberInAlbum(
  { chatLog }: Pick<Deps, 'chatLog'>,
  { chat }: Pick<Listener, 'chat'>,
  { id, albumId }: Pick<PhotoView, 'id' | 'albumId'>,
): Promise<{ number: number; count: number } | undefined> {
  if (!albumId) return undefined;
  const content = await albumContent(chatLog, chat.channel, albumId);
  const number = numbersOf(content).get(id);
  const count = sentCount(content);
  return number !== undefined && count > 1 ? { number, count } : undefined;
}

/** Numbers of an album's photos as a person counts: those that were not taken keep theirs. */
function numbersOf({ photoIds, refused }: AlbumContent): ReadonlyMap<string, number> {
  const gaps = new Set(Object.values(refused ?? {}));
  const numbers = new Map<string, number>();
  let number = 0;
  for (const id of photoIds) {
    do number += 1;
    while (gaps.has(number));
    numbers.set(id, number);
  }
  return numbers;
}

/** What ties a reply to a photo: its message where the channel can, else its number in words. */
export async function aboutPhoto(
  deps: Deps,
  talk: Listener,
  photo: Pick<PhotoView, 'id' | 'albumId' | 'sentAs'>,
): Promise<Pick<Reply, 'about'>> {
  const { channel, key } = photo.sentAs;
  const which = await numberInAlbum(deps, talk, photo);
  const words = which && speak(deps, talk.customer)('album.which', which);
  const message = channel === talk.chat.channel ? key : undefined;
  if (message === undefined && words === undefined) return {};
  return { about: { ...(message ? { message } : {}), ...(words ? { words } : {}) } };
}
