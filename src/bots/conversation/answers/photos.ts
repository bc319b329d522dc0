import { StudioError } from '../../../studio/errors/index.js';
import { limits } from '../../../studio/limits.js';
import type { PhotoView } from '../../../studio/ports/studio.js';
import { aboutPhoto } from '../about-photo.js';
import { albumContent, setAlbumContent } from '../album-state.js';
import { progress, statusOf, throughOf } from '../albums.js';
import { FileBeyondChannel } from '../errors.js';
import type { IncomingPhoto, Intent } from '../intent.js';
import { presetOfCaption } from '../parse-text.js';
import { photoFailure, preview, statusKey } from '../photo-replies.js';
import { numbersOfRefused, refusal } from '../refused-photos.js';
import type { Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  speak,
  type Talk,
} from '../talk.js';

/** Below this, a recompressed photo has lost what an original file may still hold. */
const fewPixels = 1_500_000;
const variantCount = 3;

type Photos = Extract<Intent, { kind: 'photos' }>;

/** Photos that arrived together: each is submitted, one acknowledgement for all. */
export async function receive(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  { photos: incoming, follows }: Photos,
): Promise<Reply[]> {
  const taken = new Map<string, PhotoView>();
  const problems = new Map<string, string>();
  const preset = await presetOf(deps, talk, incoming);
  let closed: string | undefined;
  for (const photo of incoming) {
    try {
      if (closed === undefined)
        taken.set(photo.key, await submit(deps, config, talk, photo, preset));
      else problems.set(photo.key, closed);
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
      const reason = photoFailure(deps, config, talk.customer, error);
      problems.set(photo.key, reason);
      // The others fare no better.
      if (error.code === 'QUOTA_EXCEEDED' || error.code === 'INTAKE_CLOSED') closed = reason;
    }
  }
  const received = { photos: incoming, preset, taken };
  const replies = (await acknowledge(deps, talk, received)).filter(
    (one) => !config.greetsPhotos || one.text !== speak(deps, talk.customer)('photo.accepted'),
  );
  const albumId = incoming[0]?.albumId;
  if (follows && albumId && taken.size > 0) {
    const max = limits.chat.albumPhotos;
    replies.push({
      key: `full:${albumId}`,
      text: speak(deps, talk.customer)('album.full', { max }),
    });
  }
  if (problems.size > 0) replies.push(await refusal(deps, talk, albumId, problems));
  return replies;
}

/** A style named under one photo is meant for all of its album, later ones included. */
async function presetOf(deps: ConversationDeps, talk: Talk, incoming: readonly IncomingPhoto[]) {
  const named = incoming.map((photo) => presetOfCaption(photo.caption)).find(Boolean);
  const albumId = incoming[0]?.albumId;
  if (named || !albumId) return named;
  return (await albumContent(deps.chatLog, talk.chat.channel, albumId)).preset;
}

interface Received {
  readonly photos: readonly IncomingPhoto[];
  readonly preset?: string;
  /** What became of them, by their keys; absent: they could not be taken. */
  readonly taken: ReadonlyMap<string, PhotoView>;
}

/** One acknowledgement: for the photo, or for the whole album. */
async function acknowledge(
  deps: ConversationDeps,
  talk: Talk,
  { photos: incoming, preset, taken }: Received,
): Promise<Reply[]> {
  const albumId = incoming[0]?.albumId;
  const accepted = [...taken.values()];
  const ids = accepted.map((photo) => photo.id);
  const each = () =>
    Promise.all(accepted.map((photo) => acknowledgement(deps, talk, photo, incoming)));
  if (!albumId) return each();
  const { channel } = talk.chat;
  const known = await albumContent(deps.chatLog, channel, albumId);
  const photoIds = [...new Set([...known.photoIds, ...ids])];
  const batch = incoming.map(({ key }) => ({ key, photoId: taken.get(key)?.id }));
  const refused = numbersOfRefused(known, batch);
  await setAlbumContent(deps.chatLog, channel, albumId, {
    photoIds,
    ...(Object.keys(refused).length > 0 ? { refused } : {}),
    ...(preset ? { preset } : {}),
  });
  if (photoIds.length < 2) return each();
  // Nothing new: whatever this was, it was acknowledged before.
  if (ids.length === 0) return [];
  const through = await throughOf(deps, talk, albumId);
  const say = speak(deps, talk.customer);
  return [progress(await statusOf(deps, talk, albumId), say, through, photoIds.length)];
}

async function submit(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  photo: IncomingPhoto,
  preset: string | undefined,
): Promise<PhotoView> {
  const limit = config.abilities.downloadLimitBytes;
  if (limit !== undefined && photo.bytes !== undefined && photo.bytes > limit) {
    throw new FileBeyondChannel(photo.bytes, limit);
  }
  return deps.studio.submitPhoto({
    customerId: talk.customer.id,
    chat: talk.chat,
    key: photo.key,
    fileRef: photo.fileRef,
    fileName: photo.fileName,
    albumId: photo.albumId,
    preset,
  });
}

async function acknowledgement(
  deps: ConversationDeps,
  talk: Talk,
  photo: PhotoView,
  incoming: readonly IncomingPhoto[],
): Promise<Reply> {
  const say = speak(deps, talk.customer);
  const source = incoming[0];
  const pixels = (source?.widthPx ?? 0) * (source?.heightPx ?? 0);
  const hint = source?.compressed && pixels > 0 && pixels < fewPixels;
  const text = [queueText(deps, talk, photo), ...(hint ? [say('photo.sendOriginal')] : [])].join(
    '\n',
  );
  const about = await aboutPhoto(deps, talk, photo);
  return { key: statusKey({ photoId: photo.id }), text, passing: true, ...about };
}

/** Place in the queue and a guess of the time, as far as they are known. */
export function queueText(
  deps: ConversationDeps,
  talk: Pick<Talk, 'customer'>,
  { position, etaSeconds, waitingFor }: Pick<PhotoView, 'position' | 'etaSeconds' | 'waitingFor'>,
): string {
  const say = speak(deps, talk.customer);
  const seconds = Math.max(1, Math.round(etaSeconds ?? 0));
  if (waitingFor === 'card') return say('photo.cooling', { seconds });
  if (position === undefined || position <= 0) return say('photo.accepted');
  return say('photo.queued', { ahead: position, seconds });
}

/** A photo's selected look again, or how it stands. */
export async function showPhoto(
  deps: ConversationDeps,
  talk: Talk,
  photoId: string,
): Promise<Reply[]> {
  const photo = await deps.studio.photo(talk.customer.id, photoId);
  const shown = await preview(deps, talk, photo, photo.selectedLookId);
  const say = speak(deps, talk.customer);
  if (!shown) return [answer(talk, say(`state.${photo.status}`))];
  return [{ ...shown, key: `re:${talk.key}` }];
}

/** Make other looks of a photo. */
export async function variants(
  deps: ConversationDeps,
  talk: Talk,
  photoId: string,
): Promise<Reply[]> {
  await deps.studio.addVariants(talk.customer.id, photoId, variantCount);
  const say = speak(deps, talk.customer);
  return [{ ...answer(talk, say('variants.working', { count: variantCount })), passing: true }];
}

/** Select one of the looks. */
export async function pick(
  deps: ConversationDeps,
  talk: Talk,
  photoId: string,
  lookId: string,
): Promise<Reply[]> {
  const photo = await deps.studio.selectLook(talk.customer.id, photoId, lookId);
  const shown = await preview(deps, talk, photo, lookId);
  return shown ? [{ ...shown, key: `re:${talk.key}` }] : [];
}
