import type { ChatRef, TimelineEntry } from '../jobs.js';
import type { LabelWish } from '../label-waiver.js';
import type { OrderState } from '../order.js';
import type { LookState, PhotoState } from '../photo.js';
import type { QuestionSubject } from '../records.js';
import type { ChannelId, Language } from './basics.js';
import type { Finishing, ResultNote } from './colorizer.js';
import type { Customer, CustomerProfile, CustomerSettings, Newcomer } from './customer.js';
import type { Currency, GatewayId, PaymentMethod, RawNotification } from './gateway.js';
import type { PlaceInQueue } from './queue.js';

export type { Customer, CustomerProfile, CustomerSettings, Newcomer } from './customer.js';

/** A look as its customer sees it; keys are of blobs. */
export interface LookView {
  readonly id: string;
  /** 0 is the first look; variants and adjustments count on. */
  readonly index: number;
  readonly state: LookState;
  readonly model: string;
  readonly sizePx?: number;
  readonly finishing: Finishing;
  readonly provider?: string;
  readonly seconds?: number;
  readonly notes: readonly ResultNote[];
  readonly previewKey?: string;
  readonly comparisonKey?: string;
}

/** A photo as its customer sees it; keys are of blobs. */
export interface PhotoView {
  readonly id: string;
  readonly customerId: string;
  readonly status: PhotoState;
  /** The message that brought it: where, and its natural key there. */
  readonly sentAs: { readonly channel: ChannelId; readonly key: string };
  readonly albumId?: string;
  /** What its sender called the file, without extension: safe as a name, at most 60 characters. */
  readonly fileName?: string;
  readonly preset: string;
  readonly createdAtMs: number;
  readonly widthPx?: number;
  readonly heightPx?: number;
  readonly looks: readonly LookView[];
  readonly selectedLookId?: string;
  readonly sheetKey?: string;
  readonly unlocked: boolean;
  readonly masterKey?: string;
  /** The HD file as large as a screen. */
  readonly screenKey?: string;
  /** On the paid file; absent where there is no choice. */
  readonly label?: 'with' | 'without';
  readonly originalKey?: string;
  /** While waiting. */
  readonly position?: number;
  readonly etaSeconds?: number;
  /** Every card rests; the time left is longer than usual. */
  readonly waitingFor?: 'card';
  readonly progress?: number;
  readonly error?: {
    readonly code: string;
    readonly messageKey: string;
    readonly params: Readonly<Record<string, string | number>>;
  };
}

/** An order as its customer sees it. */
export interface OrderView {
  readonly id: string;
  readonly customerId: string;
  readonly state: OrderState;
  readonly kind: 'unlock' | 'topup';
  readonly photoIds: readonly string[];
  readonly pack?: string;
  readonly credits: number;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly method: PaymentMethod;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly paidAtMs?: number;
  readonly refundedMinor: number;
  /** Set while it can be paid. */
  readonly qr?: string;
  readonly appUrl?: string;
  /** Our own pay page: `/pay/<token>`; works without a cookie. */
  readonly payPath: string;
}

/** Credits sold together. */
export interface CreditPack {
  readonly id: string;
  readonly credits: number;
  readonly amountFen: number;
  readonly stars?: number;
}

/** What things cost; amounts in fen and in whole Stars. */
export interface PriceList {
  readonly hdCredits: number;
  readonly hdAmountFen: number;
  readonly hdStars: number;
  readonly welcomeCredits: number;
  readonly freePreviewsPerDay: number;
  readonly packs: readonly CreditPack[];
}

/** A photo to be taken in. */
export interface SubmitPhoto {
  readonly customerId: string;
  readonly chat: ChatRef;
  /** Natural key of the message that brought it; a repeat answers the same photo. */
  readonly key: string;
  /** Either the bytes are here (web upload, a finished local file)... */
  readonly file?: string;
  /** ...or the channel will fetch them during `intake`. */
  readonly fileRef?: string;
  /** What the sender called the file; hostile. Only a name for what they get back. */
  readonly fileName?: string;
  readonly albumId?: string;
  readonly preset?: string;
  readonly sizePx?: number;
  readonly model?: string;
  readonly finishing?: Finishing;
}

/** An invoice may be paid; or its photos are bought already; or its time is over. */
export type PreCheckout = 'approved' | 'bought' | 'over';

export type UnlockResult =
  | { readonly status: 'unlocked' }
  /** `again`: another wish had made this order, which is still open. */
  | { readonly status: 'payment'; readonly again: boolean; readonly order: OrderView };

/** A customer's words to the operator. */
export interface NewQuestion {
  readonly key: string;
  readonly subject: QuestionSubject;
  readonly text: string;
  readonly orderId?: string;
}

/** What was paid and given back; a line's text is a message key. */
export interface Receipt {
  readonly orderId: string;
  readonly lines: readonly { readonly text: string; readonly amountMinor: number }[];
  readonly currency: Currency;
  readonly paidAtMs: number;
  readonly method: PaymentMethod;
}

/** Something a watcher of a photo or customer sees at once. */
export interface LiveEvent {
  readonly customerId: string;
  readonly photoId?: string;
  readonly orderId?: string;
  readonly kind: 'photo' | 'progress' | 'order' | 'credits' | 'timeline';
  readonly progress?: number;
}

/**
 * Everything a channel can ask for. Web, bots and the command line call only this; each call is a
 * short transaction that may repeat. All calls throw StudioErrors. A photo or order of someone
 * else is `NotFound`.
 */
export interface Studio {
  /** Who this is, made at first sight. */
  identify(chat: ChatRef, userId: string, language: Language): Promise<Customer>;
  /** Who this is; undefined: nobody yet. */
  known(chat: ChatRef, userId: string): Promise<Customer | undefined>;
  /** What somebody who is nobody yet would find. */
  newcomer(channel: ChannelId, language: Language): Newcomer;
  profile(customerId: string): Promise<CustomerProfile>;
  setLanguage(customerId: string, language: Language): Promise<void>;
  setSettings(customerId: string, settings: Partial<CustomerSettings>): Promise<void>;
  createLinkCode(customerId: string): Promise<{ code: string; expiresAtMs: number }>;
  /** Joins the two customers; credits, photos and orders come along. */
  redeemLinkCode(customerId: string, code: string): Promise<void>;
  redeemCreditCode(customerId: string, code: string): Promise<{ credits: number }>;

  submitPhoto(photo: SubmitPhoto): Promise<PhotoView>;
  photo(customerId: string, photoId: string): Promise<PhotoView>;
  photos(
    customerId: string,
    page: { limit: number; before?: string },
  ): Promise<readonly PhotoView[]>;
  timeline(customerId: string, photoId: string): Promise<readonly TimelineEntry[]>;
  /** Another look: new sizes and finishings, one sheet. */
  addVariants(customerId: string, photoId: string, count: number): Promise<PhotoView>;
  /** Same plane, other finishing; no inference. */
  adjust(customerId: string, photoId: string, finishing: Finishing): Promise<PhotoView>;
  selectLook(customerId: string, photoId: string, lookId: string): Promise<PhotoView>;
  cancelPhoto(customerId: string, photoId: string): Promise<PhotoView>;
  /**
   * The paid file again, with its visible label or without.
   * @throws {LabelUnconfirmed} without, for the first time, and not confirmed.
   */
  chooseLabel(customerId: string, photoId: string, wish: LabelWish): Promise<PhotoView>;
  deletePhoto(customerId: string, photoId: string): Promise<void>;
  /** All photos at once; what accounts must keep stays without personal data. */
  erase(customerId: string): Promise<void>;

  prices(): PriceList;
  /** Gateways this channel offers now, best first. Credits that suffice are used before any. */
  methods(channel: ChannelId): readonly PaymentMethod[];
  /**
   * HD for one or several photos, one price and one payment for all. While an order for the same
   * photos waits to be paid the same way, that one is answered, whatever the key.
   * @param key natural key of the wish (Idempotency-Key header, callback id).
   */
  unlock(
    customerId: string,
    photoIds: readonly string[],
    options: { key: string; method?: PaymentMethod; chat: ChatRef },
  ): Promise<UnlockResult>;
  topUp(
    customerId: string,
    pack: string,
    options: { key: string; method: PaymentMethod; chat: ChatRef },
  ): Promise<OrderView>;
  order(customerId: string, orderId: string): Promise<OrderView>;
  orders(customerId: string, limit: number): Promise<readonly OrderView[]>;
  /** The pay page's bearer token instead of a customer. */
  orderByPayToken(token: string): Promise<OrderView>;
  cancelOrder(customerId: string, orderId: string): Promise<OrderView>;
  receipt(customerId: string, orderId: string): Promise<Receipt>;
  /** "Have you seen my payment?": asks the gateway now, within rate limits. */
  refreshOrder(orderId: string): Promise<void>;

  /** Verify, record, answer. Never does the work itself. */
  receiveNotification(
    gateway: GatewayId,
    raw: RawNotification,
  ): Promise<'accepted' | 'rejected' | 'tryAgain'>;
  /** Stars: may this invoice still be paid? Answers from the database alone, in milliseconds. */
  approvePreCheckout(
    outTradeNo: string,
    amountMinor: number,
    currency: string,
  ): Promise<PreCheckout>;

  /** Keep words for the operator, for the command line; a repeated key is kept once. */
  leaveQuestion(customerId: string, question: NewQuestion): Promise<void>;

  /** Where waiting photos stand, by photo; one look that all watchers share. */
  places(): Promise<ReadonlyMap<string, PlaceInQueue>>;
  watch(customerId: string, listener: (event: LiveEvent) => void): () => void;
}
