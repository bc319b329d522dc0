import { LabelUnconfirmed } from '../../../studio/errors/index.js';
import type { PhotoView } from '../../../studio/ports/studio.js';
import { aboutPhoto } from '../about-photo.js';
import type { Intent } from '../intent.js';
import { masterFile } from '../master-file.js';
import type { Reply } from '../reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  speak,
  type Talk,
} from '../talk.js';

/** How far back a photo is looked for that somebody only calls "it". */
const lookBack = 50;

/** The HD file again, with its visible label or, for whoever confirms, without. */
export async function label(
  deps: ConversationDeps,
  config: ConversationConfig,
  talk: Talk,
  { photoId, want }: Extract<Intent, { kind: 'label' }>,
): Promise<Reply[]> {
  const { studio } = deps;
  const say = speak(deps, talk.customer);
  const me = talk.customer.id;
  const photo = photoId
    ? await studio.photo(me, photoId)
    : (await studio.photos(me, { limit: lookBack })).find((one) => one.unlocked);
  if (!photo) return [answer(talk, say('label.none'))];
  const visible = want === 'with';
  let changed: PhotoView;
  try {
    changed = await studio.chooseLabel(me, photo.id, { visible, confirmed: want === 'confirmed' });
  } catch (error) {
    if (!(error instanceof LabelUnconfirmed)) throw error;
    const intent = { kind: 'label', photoId: photo.id, want: 'confirmed' } as const;
    return [answer(talk, say('label.confirm'), [[{ label: say('label.iWill'), intent }]])];
  }
  if (changed.masterKey) {
    const file = await masterFile(deps, config, talk.customer, changed, `re:${talk.key}`);
    return [{ ...file, ...(await aboutPhoto(deps, talk, changed)) }];
  }
  return [{ ...answer(talk, say('label.working')), passing: true }];
}
