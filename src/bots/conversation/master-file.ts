import type { Customer, PhotoView } from '../../studio/ports/studio.js';
import type { Reply } from './reply.js';
import { type ConversationDeps, speak } from './talk.js';

/** The HD file itself: always as a file, never recompressed. */
export function masterFile(
  deps: Pick<ConversationDeps, 'messages'>,
  customer: Customer,
  photo: PhotoView,
  key: string,
): Reply {
  const say = speak(deps, customer);
  const params = { width: photo.widthPx ?? 0, height: photo.heightPx ?? 0 };
  return {
    key,
    text: say('hd.file', params),
    file: { blobKey: photo.masterKey as string, name: `huancai-${photo.id.slice(-6)}` },
    choices: photo.albumId
      ? [[{ label: say('button.zip'), intent: { kind: 'zip', albumId: photo.albumId } }]]
      : [],
  };
}
