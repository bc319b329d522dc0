import { stat } from 'node:fs/promises';
import type { Customer, PhotoView } from '../../studio/ports/studio.js';
import { masterName } from './file-names.js';
import type { Reply } from './reply.js';
import { type ConversationConfig, type ConversationDeps, speak } from './talk.js';

/** The HD file itself: always as a file, never recompressed. Where it is too large: the way to it. */
export async function masterFile(
  deps: Pick<ConversationDeps, 'messages' | 'blobs'>,
  config: Pick<ConversationConfig, 'abilities' | 'publicUrl'>,
  customer: Customer,
  photo: PhotoView,
  key: string,
): Promise<Reply> {
  const say = speak(deps, customer);
  const blobKey = photo.masterKey as string;
  const { size } = await stat(await deps.blobs.localFile(blobKey));
  const limit = config.abilities.uploadLimitBytes ?? size;
  const sizes = { megabytes: Math.ceil(size / 1e6), limitMegabytes: Math.floor(limit / 1e6) };
  const where = config.publicUrl
    ? say('hd.onThePage', { url: config.publicUrl })
    : say('hd.askOperator', { code: customer.customerCode });
  const instead = [say('hd.tooLarge', sizes), where].join('\n');
  if (size > limit) return { key, text: instead };
  const params = { width: photo.widthPx ?? 0, height: photo.heightPx ?? 0 };
  const plain = photo.label === 'with' && photo.originalKey !== undefined;
  const button = { label: say('label.button'), intent: labelOf(photo.id) };
  const hasButtons = config.abilities.buttonsMax > 0;
  const word = plain && !hasButtons ? [say('label.word')] : [];
  return {
    key,
    ...{ text: [say('hd.file', params), ...word].join('\n'), instead },
    ...(plain && hasButtons ? { choices: [[button]] } : {}),
    file: { blobKey, name: masterName(photo) },
  };
}

const labelOf = (photoId: string) => ({ kind: 'label', photoId, want: 'without' }) as const;
