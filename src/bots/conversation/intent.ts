import type { Language } from '../../studio/ports/basics.js';
import type { PaymentMethod } from '../../studio/ports/gateway.js';
import type { WishTopic } from './wishes.js';

/**
 * What somebody wants, in whichever words, buttons or numbers they said it. Adapters and
 * `parse-text.ts` make intents; the conversation answers them. Short enough as a callback:
 * encoded by `intent-codec.ts` into at most 64 bytes.
 */
export type Intent =
  | { readonly kind: 'start' }
  | { readonly kind: 'help' }
  | { readonly kind: 'credits' }
  | { readonly kind: 'buy' }
  | { readonly kind: 'buyPack'; readonly pack: string; readonly method?: PaymentMethod }
  /** `before`: photos older than this one. */
  | { readonly kind: 'history'; readonly before?: string }
  | { readonly kind: 'settings' }
  | { readonly kind: 'setPreset'; readonly preset: string }
  | { readonly kind: 'language'; readonly language?: Language }
  | { readonly kind: 'link'; readonly code?: string }
  | { readonly kind: 'redeem'; readonly code: string }
  /** "I am the customer with this code": contact ids that changed lost them their account. */
  | { readonly kind: 'claim'; readonly code: string }
  | { readonly kind: 'delete'; readonly photoId?: string }
  | { readonly kind: 'deleteAll'; readonly confirmed: boolean }
  | { readonly kind: 'support'; readonly text?: string }
  | { readonly kind: 'cancel' }
  /** Money back, for an order where it is named; `text`: the words that asked for it. */
  | { readonly kind: 'refund'; readonly orderId?: string; readonly text?: string }
  /** One of the common questions, and its words. */
  | { readonly kind: 'wish'; readonly topic: WishTopic; readonly text?: string }
  /**
   * One photo, or several sent together. `follows`: the album before had no room for them.
   */
  | {
      readonly kind: 'photos';
      readonly photos: readonly IncomingPhoto[];
      readonly follows?: boolean;
    }
  | { readonly kind: 'showPhoto'; readonly photoId: string }
  | { readonly kind: 'hd'; readonly photoId: string; readonly method?: PaymentMethod }
  | { readonly kind: 'hdAlbum'; readonly albumId: string; readonly method?: PaymentMethod }
  | { readonly kind: 'zip'; readonly albumId: string }
  /** The photos of an album to choose from; `from`: a place in it, from 0. */
  | { readonly kind: 'oneByOne'; readonly albumId: string; readonly from: number }
  /** The HD file again, with its visible label or without; `confirmed`: they label it themselves. */
  | {
      readonly kind: 'label';
      readonly photoId?: string;
      readonly want: 'with' | 'without' | 'confirmed';
    }
  | { readonly kind: 'variants'; readonly photoId: string }
  | { readonly kind: 'pick'; readonly photoId: string; readonly lookId: string }
  | { readonly kind: 'adjust'; readonly photoId: string }
  | { readonly kind: 'setFinishing'; readonly photoId: string; readonly change: FinishingChange }
  | { readonly kind: 'refreshOrder'; readonly orderId: string }
  | { readonly kind: 'cancelOrder'; readonly orderId: string }
  | { readonly kind: 'receipt'; readonly orderId: string }
  /** Money that came as a message of the chat itself. */
  | { readonly kind: 'moneySent'; readonly what: 'transfer' | 'redPacket' }
  /** A bare number: a choice offered before, where the channel has no buttons. */
  | { readonly kind: 'choice'; readonly number: number }
  | { readonly kind: 'text'; readonly text: string };

/** One step of the finishing, as a button says it. */
export type FinishingChange = 'stronger' | 'weaker' | 'warmer' | 'cooler' | 'reset';

/** A photo as the channel announced it; its bytes are fetched later. */
export interface IncomingPhoto {
  /** What `ChatChannel.fetchFile` of the channel understands. */
  readonly fileRef: string;
  /** Natural key of the message. */
  readonly key: string;
  /** Photos sent together share it. */
  readonly albumId?: string;
  readonly caption?: string;
  /** What the sender called the file; hostile. Chat pictures have none. */
  readonly fileName?: string;
  /** As the channel announced it; undefined where it does not say. */
  readonly bytes?: number;
  readonly widthPx?: number;
  readonly heightPx?: number;
  /** The channel recompressed it: an original sent as a file would be better. */
  readonly compressed: boolean;
}
