import { numberInAlbum } from '../about-photo.js';
import { albumPhotos } from '../albums.js';
import type { Choice, Reply } from '../reply.js';
import { answer, type ConversationDeps, speak, type Talk } from '../talk.js';
import { inRows } from './general.js';

const pageLength = 8;

/** The photos of an album to choose from, each by its number in the album. @param from place, from 0. */
export async function oneByOne(
  deps: ConversationDeps,
  talk: Talk,
  albumId: string,
  from: number,
): Promise<Reply[]> {
  const say = speak(deps, talk.customer);
  const photos = await albumPhotos(deps, talk, albumId);
  const page = photos.slice(from, from + pageLength);
  if (page.length === 0) return [answer(talk, say('album.gone'))];
  const lines: string[] = [];
  const choices: Choice[] = [];
  for (const photo of page) {
    const number = (await numberInAlbum(deps, talk, photo))?.number ?? 1;
    const label = say('album.photo', { number });
    const state = say(`state.${photo.unlocked ? 'unlocked' : photo.status}`);
    lines.push(say('album.line', { number, state }));
    choices.push({ label, intent: { kind: 'showPhoto', photoId: photo.id } });
  }
  const rows = inRows(choices, 4);
  const next = from + pageLength;
  if (photos.length > next)
    rows.push([{ label: say('album.next'), intent: { kind: 'oneByOne', albumId, from: next } }]);
  return [
    answer(talk, [say('album.oneByOne', { count: photos.length }), ...lines].join('\n'), rows),
  ];
}
