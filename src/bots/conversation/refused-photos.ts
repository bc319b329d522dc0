import { sentCount } from './about-photo.js';
import { type AlbumContent, albumContent } from './album-state.js';
import type { Reply } from './reply.js';
import { type ConversationDeps, speak, type Talk } from './talk.js';

/**
 * Numbers of an album's photos that could not be taken, as a person counts what they sent.
 * @param batch what came now, in the order it was sent; without a photo: it could not be taken.
 */
export function numbersOfRefused(
  known: AlbumContent,
  batch: readonly { readonly key: string; readonly photoId: string | undefined }[],
): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = { ...known.refused };
  const taken = new Set(known.photoIds);
  for (const { key, photoId } of batch) {
    if (photoId !== undefined) taken.add(photoId);
    else numbers[key] ??= taken.size + Object.keys(numbers).length + 1;
  }
  return numbers;
}

/**
 * Why photos could not be taken; in an album also which, the same reason said once.
 * @param problems reasons by the natural keys of the photos' messages.
 */
export async function refusal(
  deps: Pick<ConversationDeps, 'chatLog' | 'messages'>,
  talk: Talk,
  albumId: string | undefined,
  problems: ReadonlyMap<string, string>,
): Promise<Reply> {
  const key = `re:${talk.key}:problems`;
  const about =
    problems.size === 1 ? { about: { message: [...problems.keys()][0] as string } } : {};
  const content = albumId
    ? await albumContent(deps.chatLog, talk.chat.channel, albumId)
    : { photoIds: [] };
  const numbers = content.refused ?? {};
  const reasons = [...new Set(problems.values())];
  if (sentCount(content) < 2) return { key, text: reasons.join('\n'), ...about };
  const say = speak(deps, talk.customer);
  const comma = say('album.comma');
  const lines = reasons.map((reason) => {
    const which = [...problems].filter(([, one]) => one === reason).map(([of]) => numbers[of] ?? 0);
    const text = which.length === 1 ? 'album.refused' : 'album.severalRefused';
    return say(text, { numbers: which.join(comma), reason });
  });
  return { key, text: lines.join('\n'), ...about };
}
