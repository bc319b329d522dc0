import type { CustomerEvent } from '../../studio/jobs.js';
import { aboutPhoto, numberInAlbum } from './about-photo.js';
import { albumMasters, albumNews, isInAlbum } from './albums.js';
import { offer } from './answers/money.js';
import { queueText } from './answers/photos.js';
import { masterFile } from './master-file.js';
import { photoFailure, picture, preview, statusKey } from './photo-replies.js';
import type { Reply } from './reply.js';
import {
  type ConversationConfig,
  type ConversationDeps,
  priceText,
  speak,
  type Talk,
} from './talk.js';

type Listener = Pick<Talk, 'customer' | 'chat'>;
type Teller<K extends CustomerEvent['kind']> = (
  deps: ConversationDeps,
  config: ConversationConfig,
  to: Listener,
  event: Extract<CustomerEvent, { kind: K }>,
) => Promise<Reply[]>;

/** One teller per kind of news: a missing one does not compile. */
const tellers: { readonly [K in CustomerEvent['kind']]: Teller<K> } = {
  'photo.accepted': async (deps, _config, to, { photoId, position, etaSeconds }) => [
    {
      key: statusKey({ photoId }),
      text: queueText(deps, to, { position, etaSeconds }),
      passing: true,
    },
  ],
  'photo.progress': async (deps, _config, to, { photoId, share }) => {
    const photo = await deps.studio.photo(to.customer.id, photoId);
    // Another look is being made: the first one's status message stands as it is.
    if (photo.status === 'ready' || (await isInAlbum(deps, to, photo))) return [];
    const percent = Math.round(share * 100);
    const text = speak(deps, to.customer)('photo.progress', { percent });
    return [{ key: statusKey({ photoId }), text, passing: true }];
  },
  'photo.preview': async (deps, _config, to, event) => {
    const album = await albumNews(deps, to, event);
    if (album) return album;
    const photo = await deps.studio.photo(to.customer.id, event.photoId);
    const shown = await preview(deps, to, photo, event.lookId);
    if (!shown) return [];
    const text = speak(deps, to.customer)('photo.ready');
    return [{ key: statusKey({ photoId: photo.id }), text, passing: true }, shown];
  },
  'photo.looks': async (deps, _config, to, { photoId, lookIds, sheetKey }) => {
    const photo = await deps.studio.photo(to.customer.id, photoId);
    const about = await aboutPhoto(deps, to, photo);
    const say = speak(deps, to.customer);
    const choices = lookIds.map((lookId, i) => ({
      label: say('variants.pick', { number: i + 1 }),
      intent: { kind: 'pick', photoId, lookId } as const,
    }));
    const key = `looks:${lookIds[0] ?? photoId}`;
    const sheet = { key, text: say('variants.choose'), picture: picture(sheetKey) };
    return [{ ...sheet, choices: [choices], ...about }];
  },
  'photo.failed': async (deps, config, to, event) => {
    const album = await albumNews(deps, to, event);
    const say = speak(deps, to.customer);
    const reason = photoFailure(deps, config, to.customer, event);
    const photo = await deps.studio.photo(to.customer.id, event.photoId);
    const which = await numberInAlbum(deps, to, photo);
    const text = which
      ? say('album.photoFailed', { ...which, reason })
      : say('photo.failed', { reason });
    // The text has the number already.
    const { about } = await aboutPhoto(deps, to, photo);
    const reference = about?.message ? { about: { message: about.message } } : {};
    const own = { key: `failed:${event.photoId}`, text, ...reference };
    return [own, ...(album ?? [])];
  },
  'photo.master': async (deps, config, to, { photoId, masterKey, labelChosenMs }) => {
    const photo = await deps.studio.photo(to.customer.id, photoId);
    const whole = { ...photo, masterKey };
    const key = ['master', masterKey, ...(labelChosenMs ? [labelChosenMs] : [])].join(':');
    const made = await masterFile(deps, config, to.customer, whole, key);
    const file = { ...made, ...(await aboutPhoto(deps, to, photo)) };
    const { albumId } = photo;
    if (!albumId || !(await isInAlbum(deps, to, photo))) return [file];
    // Fifty files need no fifty words: one at the end, with the way to all in one.
    return [
      { ...file, ...(file.file ? { text: '', choices: [] } : {}) },
      ...(await albumMasters(deps, to, albumId, photoId)),
    ];
  },
  'order.offer': async (deps, config, to, { orderId }) =>
    offer(deps, config, to, await deps.studio.order(to.customer.id, orderId)),
  'order.paid': async (deps, _config, to, { orderId }) => {
    const say = speak(deps, to.customer);
    const choices = [
      [{ label: say('button.receipt'), intent: { kind: 'receipt', orderId } as const }],
    ];
    return [{ key: `paid:${orderId}`, text: say('order.paid'), choices }];
  },
  'order.closed': async (deps, _config, to, { orderId }) => [
    { key: `closed:${orderId}`, text: speak(deps, to.customer)('order.closed') },
  ],
  'order.credited': async (deps, _config, to, { orderId, credits, reason }) => [
    {
      key: `credited:${orderId}:${reason}`,
      text: speak(deps, to.customer)(`order.credited_${reason}`, { credits }),
    },
  ],
  'order.refunded': async (deps, _config, to, { orderId, amountMinor, currency }) => {
    const amount = priceText(amountMinor, currency === 'XTR' ? 'XTR' : 'CNY');
    const text = speak(deps, to.customer)('order.refundedAmount', { amount });
    return [{ key: `refunded:${orderId}:${amountMinor}`, text }];
  },
  'support.answer': async (deps, _config, to, { text }) => [
    { key: '', text: speak(deps, to.customer)('support.answer', { text }) },
  ],
};

/** What the studio has to say, as messages. @param key natural key of the news. */
export async function tell(
  deps: ConversationDeps,
  config: ConversationConfig,
  to: Listener,
  event: CustomerEvent,
  key: string,
): Promise<Reply[]> {
  const teller = tellers[event.kind] as Teller<CustomerEvent['kind']>;
  const replies = await teller(deps, config, to, event as never);
  return replies.map((reply) => (reply.key === '' ? { ...reply, key } : reply));
}
