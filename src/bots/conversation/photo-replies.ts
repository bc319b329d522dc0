import type { StudioError } from '../../studio/errors/index.js';
import type { Customer, PhotoView } from '../../studio/ports/studio.js';
import { aboutPhoto } from './about-photo.js';
import { hdCost } from './price-of-hd.js';
import type { Choice, Media, Reply } from './reply.js';
import { type ConversationConfig, type ConversationDeps, speak, type Talk } from './talk.js';

/**
 * Key of the one status message of a photo; it is edited as things move. An album has its first
 * photo's: what joins a photo goes on with its message.
 */
export function statusKey({ photoId }: { photoId: string }): string {
  return `status:${photoId}`;
}

/** A StudioError's message in the customer's language. */
export function failure(
  deps: Pick<ConversationDeps, 'messages'>,
  customer: Customer,
  messageKey: string,
  params: Readonly<Record<string, string | number>>,
): string {
  return deps.messages.text(messageKey, customer.language, params);
}

/** Why a photo could not be taken, and what to do about it here. */
export function photoFailure(
  deps: Pick<ConversationDeps, 'messages'>,
  { publicUrl: url }: Pick<ConversationConfig, 'publicUrl'>,
  customer: Customer,
  { messageKey, params }: Pick<StudioError, 'messageKey' | 'params'>,
): string {
  const reason = failure(deps, customer, messageKey, params);
  if (!messageKey.startsWith('bots.photo.beyond')) return reason;
  const say = speak(deps, customer);
  return `${reason} ${url ? say('photo.onThePage', { url }) : say('photo.scaleDown')}`;
}

/** The labelled before | after picture of a look, with what can be done next. */
export async function preview(
  deps: ConversationDeps,
  talk: Pick<Talk, 'customer' | 'chat'>,
  photo: PhotoView,
  lookId: string | undefined,
): Promise<Reply | undefined> {
  const look = photo.looks.find((one) => one.id === lookId);
  const blobKey = look?.comparisonKey ?? look?.previewKey;
  if (!look || !blobKey) return undefined;
  const say = speak(deps, talk.customer);
  const { widthPx: width, heightPx: height } = photo;
  const size = width && height ? [say('preview.size', { width, height })] : [];
  const notes = look.notes.map((note) =>
    deps.messages.text(note.key, talk.customer.language, note.params),
  );
  return {
    key: `preview:${look.id}`,
    text: [say(photo.unlocked ? 'preview.unlocked' : 'preview.text'), ...size, ...notes].join('\n'),
    picture: picture(blobKey),
    choices: await photoChoices(deps, talk, photo),
    ...(await aboutPhoto(deps, talk, photo)),
  };
}

/** A preview as a picture of a reply. */
export function picture(blobKey: string): Media {
  return { blobKey, name: 'huancai-preview.jpg' };
}

/** HD, another look, adjust. */
async function photoChoices(
  deps: ConversationDeps,
  talk: Pick<Talk, 'customer' | 'chat'>,
  photo: PhotoView,
): Promise<Choice[][]> {
  const say = speak(deps, talk.customer);
  const photoId = photo.id;
  const hd = photo.unlocked
    ? say('button.hdAgain')
    : say('button.hd', { price: await hdCost(deps, talk) });
  return [
    [{ label: hd, intent: { kind: 'hd', photoId } }],
    [
      { label: say('button.variants'), intent: { kind: 'variants', photoId } },
      { label: say('button.adjust'), intent: { kind: 'adjust', photoId } },
    ],
  ];
}
