import { StudioError } from '../../studio/errors/index.js';
import type { CustomerEvent } from '../../studio/jobs.js';
import { albumStanding } from './albums.js';
import { adjustMenu, setFinishing } from './answers/adjust.js';
import * as ending from './answers/ending.js';
import * as general from './answers/general.js';
import { label } from './answers/label.js';
import * as money from './answers/money.js';
import { oneByOne } from './answers/one-by-one.js';
import * as photos from './answers/photos.js';
import { refund } from './answers/refund.js';
import { captionWishes, wish } from './answers/wish.js';
import { zip } from './answers/zip.js';
import type { Intent } from './intent.js';
import { tell } from './news.js';
import { failure } from './photo-replies.js';
import type { Reply } from './reply.js';
import {
  answer,
  type ConversationConfig,
  type ConversationDeps,
  speak,
  type Talk,
} from './talk.js';

/** One conversation for every channel: intents in, replies out. */
export interface Conversation {
  /**
   * Answer what somebody wants. Faults of the world become plain words; only faults that a later
   * try may cure are thrown.
   * @throws {StudioError} with `retry: 'later'`: the database is away; handle the update again.
   */
  answer(talk: Talk, intent: Intent): Promise<Reply[]>;
  /** Nobody adds to this album any more: what is done may be priced. */
  albumClosed(talk: Pick<Talk, 'customer' | 'chat'>, albumId: string): Promise<Reply[]>;
  /** Put the studio's news into words. */
  tell(to: Pick<Talk, 'customer' | 'chat'>, event: CustomerEvent, key: string): Promise<Reply[]>;
}

type Answers = {
  readonly [K in Intent['kind']]: (
    talk: Talk,
    intent: Extract<Intent, { kind: K }>,
  ) => Promise<Reply[]> | Reply[];
};

/** Faults after which the same update should be handled again, by the channel's inbox. */
const again = new Set(['DATABASE_AWAY', 'QUEUE_AWAY']);

/** The conversation within what a channel can carry (`config.abilities`). */
export function createConversation(
  deps: ConversationDeps,
  config: ConversationConfig,
): Conversation {
  const answers = answersOf(deps, config);
  return {
    async answer(talk, intent) {
      try {
        const give = answers[intent.kind] as Answers[Intent['kind']];
        return await give(talk, intent as never);
      } catch (error) {
        if (!(error instanceof StudioError) || again.has(error.code)) throw error;
        deps.log.info('chat.refused', { channel: talk.chat.channel, code: error.code });
        return [answer(talk, failure(deps, talk.customer, error.messageKey, error.params))];
      }
    },
    albumClosed: (talk, albumId) => albumStanding(deps, talk, albumId),
    tell: (to, event, key) => tell(deps, config, to, event, key),
  };
}

/** One answer per intent: a missing one does not compile. */
function answersOf(deps: ConversationDeps, config: ConversationConfig): Answers {
  return {
    start: (talk) => general.greet(deps, config, talk),
    help: (talk) => general.explain(deps, talk),
    credits: (talk) => general.credits(deps, talk),
    buy: (talk) => money.packs(deps, talk),
    buyPack: (talk, { pack, method }) => money.buyPack(deps, config, talk, pack, method),
    history: (talk, { before }) => general.history(deps, config, talk, before),
    settings: (talk) => general.settings(deps, config, talk),
    setPreset: (talk, { preset }) => general.setPreset(deps, config, talk, preset),
    language: (talk, intent) => general.language(deps, talk, intent),
    link: (talk, { code }) => general.link(deps, talk, code),
    redeem: (talk, { code }) => general.redeem(deps, talk, code),
    claim: (talk, { code }) => general.claim(deps, talk, code),
    delete: (talk, { photoId }) => ending.deleteMenu(deps, talk, photoId),
    deleteAll: (talk, { confirmed }) => ending.deleteAll(deps, talk, confirmed),
    support: (talk, { text }) => general.support(deps, talk, text),
    refund: (talk, { orderId, text }) =>
      general.unlessForOperator(deps, talk, text, () => refund(deps, config, talk, orderId)),
    wish: (talk, { topic, text }) =>
      general.unlessForOperator(deps, talk, text, () => wish(deps, config, talk, topic)),
    cancel: (talk) => ending.cancel(deps, talk),
    photos: async (talk, intent) => [
      ...(await photos.receive(deps, config, talk, intent)),
      ...(await captionWishes(deps, config, talk, intent)),
    ],
    showPhoto: (talk, { photoId }) => photos.showPhoto(deps, talk, photoId),
    hd: (talk, { photoId, method }) => money.hd(deps, config, talk, photoId, method),
    hdAlbum: (talk, { albumId, method }) => money.hdAlbum(deps, config, talk, albumId, method),
    oneByOne: (talk, { albumId, from }) => oneByOne(deps, talk, albumId, from),
    zip: (talk, { albumId }) => zip(deps, config, talk, albumId),
    variants: (talk, { photoId }) => photos.variants(deps, talk, photoId),
    pick: (talk, { photoId, lookId }) => photos.pick(deps, talk, photoId, lookId),
    adjust: (talk, { photoId }) => adjustMenu(deps, talk, photoId),
    setFinishing: (talk, { photoId, change }) => setFinishing(deps, talk, photoId, change),
    refreshOrder: (talk, { orderId }) => money.refreshOrder(deps, talk, orderId),
    cancelOrder: (talk, { orderId }) => money.cancelOrder(deps, talk, orderId),
    label: (talk, intent) => label(deps, config, talk, intent),
    receipt: (talk, { orderId }) => money.receipt(deps, config, talk, orderId),
    moneySent: (talk, { what }) => money.moneySent(deps, talk, what),
    // A number without offered choices; adapters without buttons resolve the others themselves.
    choice: (talk) => [answer(talk, speak(deps, talk.customer)('noSuchChoice'))],
    text: (talk, { text }) => general.freeText(deps, talk, text),
  };
}
