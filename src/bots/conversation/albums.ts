import { StudioError } from '../../studio/errors/index.js';
import type { CustomerEvent } from '../../studio/jobs.js';
import { isUnderWay } from '../../studio/photo.js';
import type { PhotoView } from '../../studio/ports/studio.js';
import { albumContent, albumTold, isAlbumOpen, setAlbumTold } from './album-state.js';
import { picture, statusKey } from './photo-replies.js';
import { hdCost } from './price-of-hd.js';
import type { Reply } from './reply.js';
import { type ConversationDeps, type Say, speak, type Talk } from './talk.js';

type Deps = Pick<ConversationDeps, 'chatLog' | 'studio' | 'messages'>;
type Listener = Pick<Talk, 'customer' | 'chat'>;

/** Previews that are shown together: what Telegram takes as one group. */
const batchPhotos = 10;
/** Albums of so many photos get a word on the way where nothing can be edited. */
const longAlbum = 10;

/** A place in the album; a photo that was deleted meanwhile leaves a gap. */
type Place = PhotoView | undefined;

/** The album's photos as they stand, in the order they were sent; [] when it is no album. */
export async function albumPhotos(
  deps: Pick<ConversationDeps, 'chatLog' | 'studio'>,
  talk: Listener,
  albumId: string,
): Promise<PhotoView[]> {
  return (await albumPlaces(deps, talk, albumId)).filter((one) => one !== undefined);
}

/** Whether a photo came together with others. */
export async function isInAlbum(
  deps: Pick<ConversationDeps, 'chatLog'>,
  { chat }: Listener,
  { albumId }: Pick<PhotoView, 'albumId'>,
): Promise<boolean> {
  if (!albumId) return false;
  return (await albumContent(deps.chatLog, chat.channel, albumId)).photoIds.length > 1;
}

async function albumPlaces(
  deps: Pick<ConversationDeps, 'chatLog' | 'studio'>,
  { customer, chat }: Listener,
  albumId: string,
): Promise<Place[]> {
  const { photoIds } = await albumContent(deps.chatLog, chat.channel, albumId);
  const places: Place[] = [];
  for (const id of photoIds) places.push(await find(deps, customer.id, id));
  return places;
}

async function find(
  { studio }: Pick<ConversationDeps, 'studio'>,
  customerId: string,
  photoId: string,
): Promise<Place> {
  try {
    return await studio.photo(customerId, photoId);
  } catch (error) {
    if (error instanceof StudioError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * News about one photo of an album: the one progress message moves, previews come together.
 * @returns undefined when the photo belongs to no album.
 */
export async function albumNews(
  deps: Deps,
  talk: Listener,
  event: Extract<CustomerEvent, { kind: 'photo.preview' | 'photo.failed' }>,
): Promise<Reply[] | undefined> {
  const photo = await deps.studio.photo(talk.customer.id, event.photoId);
  const { albumId } = photo;
  if (!albumId) return undefined;
  const isFirstLook = event.kind === 'photo.failed' || photo.looks[0]?.id === event.lookId;
  if (!isFirstLook) return undefined;
  if (await isInAlbum(deps, talk, photo)) return albumStanding(deps, talk, albumId);
  // Others may join it: then it is not shown again.
  const { channel } = talk.chat;
  const told = await albumTold(deps.chatLog, channel, albumId);
  const single = [...new Set([...told.single, photo.id])];
  await setAlbumTold(deps.chatLog, channel, albumId, { ...told, single });
  return undefined;
}

/**
 * All that can be told of an album now; what was told before is told again under its key. When the
 * last photo is through and no more are expected: one price for all.
 * @returns [] for a photo on its own.
 */
export async function albumStanding(deps: Deps, talk: Listener, albumId: string): Promise<Reply[]> {
  const { channel } = talk.chat;
  const places = await albumPlaces(deps, talk, albumId);
  if (places.length < 2) return [];
  const isOpen = await isAlbumOpen(deps.chatLog, channel, albumId);
  const through = places.filter(isThrough).length;
  const isOver = through === places.length && !isOpen;
  const before = await albumTold(deps.chatLog, channel, albumId);
  const batches = [...before.batches, ...nextBatches(places, before.batches, isOver)];
  const priced = isOver ? places.length : before.priced;
  await setAlbumTold(deps.chatLog, channel, albumId, { ...before, batches, priced });
  const say = speak(deps, talk.customer);
  const previews = batches.flatMap(([from, to]) =>
    previewsOf(`album:${albumId}:${from}-${to}`, places.slice(from, to), before.single),
  );
  const status = await statusOf(deps, talk, albumId);
  if (!isOver) return [progress(status, say, through, places.length), ...previews];
  const stale = before.priced > 0 && before.priced < places.length;
  return [
    ...(stale ? [{ key: chooseKey(albumId, before.priced), text: say('album.moreCame') }] : []),
    summary(status, say, places),
    ...previews,
    ...(await price(deps, talk, albumId, places)),
  ];
}

const isThrough = (one: Place) => one === undefined || !isUnderWay(one.status);
const chooseKey = (albumId: string, count: number) => `album:${albumId}:choose:${count}`;

/** Key of the one message that says how an album stands: its first photo's. */
export async function statusOf(
  deps: Pick<ConversationDeps, 'chatLog'>,
  { chat: { channel } }: Pick<Talk, 'chat'>,
  albumId: string,
): Promise<string> {
  const { photoIds } = await albumContent(deps.chatLog, channel, albumId);
  return statusKey({ photoId: photoIds[0] ?? albumId });
}

/** How many of an album's photos need no more waiting. */
export async function throughOf(
  deps: Pick<ConversationDeps, 'chatLog' | 'studio'>,
  talk: Listener,
  albumId: string,
): Promise<number> {
  return (await albumPlaces(deps, talk, albumId)).filter(isThrough).length;
}

/** How far an album is; `through` 0: it was received. */
export function progress(key: string, say: Say, through: number, count: number): Reply {
  const text =
    through === 0
      ? say('album.accepted', { count })
      : say('album.progress', { done: through, count });
  const isHalf = count >= longAlbum && through * 2 >= count;
  return { key, text, passing: true, frequent: true, ...(isHalf ? { milestone: 'half' } : {}) };
}

function summary(key: string, say: Say, places: readonly Place[]): Reply {
  const count = places.filter((one) => one?.status === 'ready').length;
  const failed = places.length - count;
  const some = failed > 0 ? 'album.doneWithFailures' : 'album.done';
  const text = say(count === 0 ? 'album.allFailed' : some, { count, failed });
  // No preview says it where the first word cannot change.
  return { key, text, passing: true, ...(count === 0 ? { milestone: 'allFailed' } : {}) };
}

/** Full batches as soon as all of their photos are through; the rest when the album is over. */
function nextBatches(
  places: readonly Place[],
  before: readonly (readonly [number, number])[],
  isOver: boolean,
): [number, number][] {
  const batches: [number, number][] = [];
  for (let from = before.at(-1)?.[1] ?? 0; from < places.length; ) {
    const to = Math.min(from + batchPhotos, places.length);
    const isWhole = to - from === batchPhotos && places.slice(from, to).every(isThrough);
    if (!isWhole && !isOver) break;
    batches.push([from, to]);
    from = to;
  }
  return batches;
}

function previewsOf(key: string, places: readonly Place[], shown: readonly string[]): Reply[] {
  const pictures = places
    .filter((one) => one !== undefined && one.status === 'ready' && !shown.includes(one.id))
    .map((one) => one?.looks[0]?.comparisonKey)
    .filter((blobKey) => blobKey !== undefined)
    .map(picture);
  return pictures.length > 0 ? [{ key, text: '', pictures }] : [];
}

/** One price for all that are not bought yet. */
async function price(
  deps: Deps,
  talk: Listener,
  albumId: string,
  places: readonly Place[],
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const forSale = places.filter((one) => one?.status === 'ready' && !one.unlocked).length;
  if (forSale === 0) return [];
  const cost = await hdCost(deps, talk, forSale);
  const label = say('button.hdAll', { count: forSale, price: cost });
  const choices = [
    [{ label, intent: { kind: 'hdAlbum', albumId } as const }],
    [{ label: say('button.oneByOne'), intent: { kind: 'oneByOne', albumId, from: 0 } as const }],
  ];
  return [{ key: chooseKey(albumId, places.length), text: say('album.choose'), choices }];
}

/** One more HD file is told; with the last of an album's comes a word for all of them. */
export async function albumMasters(
  deps: Pick<ConversationDeps, 'chatLog' | 'studio' | 'messages'>,
  talk: Listener,
  albumId: string,
  photoId: string,
): Promise<Reply[]> {
  const { channel } = talk.chat;
  const told = await albumTold(deps.chatLog, channel, albumId);
  const files = [...new Set([...told.files, photoId])];
  await setAlbumTold(deps.chatLog, channel, albumId, { ...told, files });
  const bought = (await albumPhotos(deps, talk, albumId)).filter((one) => one.unlocked);
  // What is still on its way will have its own turn to say so.
  if (bought.length < 2 || bought.some((one) => !files.includes(one.id))) return [];
  const say = speak(deps, talk.customer);
  const choices = [[{ label: say('button.zip'), intent: { kind: 'zip', albumId } as const }]];
  const text = say('album.masters', { count: bought.length });
  return [{ key: `album:${albumId}:masters:${bought.length}`, text, choices }];
}
