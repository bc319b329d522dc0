import { limits } from '../studio/limits.js';
import type { IncomingPhoto, Intent } from './conversation/intent.js';

/** Who sends an album, where. */
export interface AlbumSender {
  readonly chatId: string;
  readonly userId: string;
  readonly isGroup: boolean;
  readonly languageCode?: string;
}

/** An album as far as it has come; kept until nothing can join it any more. */
export interface IncomingAlbum extends AlbumSender {
  readonly albumId: string;
  /** Not handed over yet. */
  readonly photos: readonly IncomingPhoto[];
  /** Keys of the photos that were handed over. */
  readonly taken: readonly string[];
  /** When the last photo was sent, ms. */
  readonly lastMs: number;
  /** When the oldest photo that waits was received, ms. */
  readonly waitingSinceMs: number;
  /** The group that the last photo came in, where the channel marks groups. */
  readonly groupId?: string;
  /** Photos of that group so far. */
  readonly inGroup: number;
  /** Begun by photos that the album before had no room for. */
  readonly follows: boolean;
  /** Nobody is expected to add to it: it may be priced. */
  readonly closed: boolean;
}

/** One photo as it arrives. */
export interface Arrival {
  readonly photo: IncomingPhoto;
  /** When it was sent, as far as the channel tells, ms. */
  readonly sentMs: number;
  readonly groupId?: string;
}

/** How a channel's app sends several photos, and how long to wait for more; times in ms. */
export interface AlbumRules {
  /** After this silence what came is handed over. */
  readonly quietMs: number;
  /** Handed over at the latest, while more keep coming. */
  readonly gatherMaxMs: number;
  /** Photos that follow each other within this belong together. */
  readonly betweenMs: number;
  /** What the channel's app sends in one go at most: after a full batch the next one may follow. */
  readonly batchPhotos: number;
  /** The channel marks what was sent in one go; its absence means a photo on its own. */
  readonly marksGroups: boolean;
}

/** How long a price waits for the batch after a full one: uploads are slower than a card. */
const afterBatchMs = 20_000;
/** How long a next batch may still join while the album is worked on. */
const slowUploadMs = 120_000;
/** Uploads of one group end a moment apart. */
const stragglersMs = 2_000;

const countOf = ({ taken, photos }: IncomingAlbum): number => taken.length + photos.length;

/** What handing over an album's photos means to the conversation; the key tells repeats apart. */
export function photosIntent(album: IncomingAlbum): { key: string; intent: Intent } {
  const { albumId, follows } = album;
  const photos = album.photos.map((one) => ({ ...one, albumId }));
  return {
    key: `album:${albumId}:${countOf(album)}`,
    intent: { kind: 'photos', photos, follows },
  };
}

/** One photo of what was sent as several in a group: the others did not reach us. */
export const isOneOfMany = (album: IncomingAlbum): boolean =>
  album.isGroup && album.groupId !== undefined && !album.follows && countOf(album) === 1;

/** No photo more fits into it. */
export const isFull = (album: IncomingAlbum): boolean => countOf(album) >= limits.chat.albumPhotos;

function endsWithFullBatch({ inGroup }: IncomingAlbum, { batchPhotos }: AlbumRules): boolean {
  return inGroup > 0 && inGroup % batchPhotos === 0;
}

/**
 * Whether a photo belongs to the album before it. Telegram's and WeChat's apps cut a selection
 * into batches, and upload one after the other.
 * @param told the album's price was said already.
 */
export function joins(
  album: IncomingAlbum,
  { sentMs, groupId }: Arrival,
  rules: AlbumRules,
  told: boolean,
): boolean {
  if (isFull(album)) return false;
  if (groupId !== undefined && groupId === album.groupId) return true;
  const patienceMs = endsWithFullBatch(album, rules) ? slowUploadMs : rules.betweenMs;
  return !told && sentMs - album.lastMs <= patienceMs;
}

/** A photo on its own is acknowledged at once where the acknowledgement can be edited later. */
export function isAlone({ groupId }: Arrival, { marksGroups }: AlbumRules): boolean {
  return marksGroups && groupId === undefined;
}

/** Time until the album's next step: hand over, close, forget. */
export function pauseMs(album: IncomingAlbum, rules: AlbumRules, nowMs: number): number {
  if (album.photos.length > 0) {
    const leftMs = album.waitingSinceMs + rules.gatherMaxMs - nowMs;
    return Math.max(0, Math.min(rules.quietMs, leftMs));
  }
  const mayGoOn = endsWithFullBatch(album, rules);
  if (album.closed) return mayGoOn ? slowUploadMs : rules.betweenMs;
  if (isFull(album)) return 0;
  if (mayGoOn) return afterBatchMs;
  if (!rules.marksGroups) return 0;
  return album.groupId === undefined ? rules.betweenMs : stragglersMs;
}
