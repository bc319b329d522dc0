import type { ChatRef, TimelineEntry } from './jobs.js';
import type { ChargeRecordState, HoldState, OrderState, RefundRecordState } from './order.js';
import type { LookState, PhotoState } from './photo.js';
import type { ChannelId, Language } from './ports/basics.js';
import type { Finishing, ResultNote } from './ports/colorizer.js';
import type { ChargeOffer, Currency, GatewayId, PaymentMethod } from './ports/gateway.js';

/** What the database keeps. Times are ms since 1970, UTC; `null` is "not yet" or "no longer". */
export interface CustomerRecord {
  readonly id: string;
  /** Short code a customer can quote to the operator. */
  readonly code: string;
  readonly language: Language;
  readonly preset: string;
  readonly finishing: Finishing;
  readonly createdMs: number;
  /** Set once everything personal is gone; accounts, orders and transfers stay. */
  readonly erasedMs: number | null;
  /** The customer this one was joined into by a link code. */
  readonly mergedInto: string | null;
}

export interface IdentityRecord {
  readonly channel: ChannelId;
  readonly userId: string;
  readonly chatId: string;
  readonly customerId: string;
  readonly seenMs: number;
}

export interface PhotoRecord {
  readonly id: string;
  readonly customerId: string;
  readonly state: PhotoState;
  /** Natural key of the message that brought it, unique per customer. */
  readonly key: string;
  readonly chat: ChatRef;
  readonly fileRef: string | null;
  /** What its sender called the file, without extension; only ever shown. */
  readonly fileName: string | null;
  readonly albumId: string | null;
  readonly preset: string;
  readonly originalKey: string | null;
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  readonly sheetKey: string | null;
  readonly selectedLookId: string | null;
  readonly masterKey: string | null;
  /** The look the master shows. */
  readonly masterLookId: string | null;
  /** The same as large as a screen, for the page. */
  readonly screenKey: string | null;
  /** What its customer wants of the visible label on the paid file; null: nothing was said. */
  readonly labelChoice: 'with' | 'without' | null;
  readonly labelChosenMs: number | null;
  readonly error: PhotoError | null;
  /** Runs queued so far; part of job keys, so that a new run is a new job. */
  readonly runs: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface PhotoError {
  readonly code: string;
  readonly messageKey: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export interface LookRecord {
  readonly id: string;
  readonly photoId: string;
  readonly index: number;
  readonly state: LookState;
  readonly model: string;
  readonly sizePx: number | null;
  readonly finishing: Finishing;
  readonly chromaKey: string | null;
  readonly previewKey: string | null;
  readonly comparisonKey: string | null;
  readonly provider: string | null;
  readonly inputWidthPx: number | null;
  readonly inputHeightPx: number | null;
  readonly seconds: number | null;
  /** Energy of the inference as measured at the card; null: not measured. */
  readonly joules: number | null;
  /** Name of the card that did it. */
  readonly card: string | null;
  readonly cardId: string | null;
  /** When it was made; stays after the files are gone, for reports. */
  readonly readyMs: number | null;
  readonly notes: readonly ResultNote[];
  readonly createdMs: number;
}

export interface TimelineRecord extends TimelineEntry {
  /** Natural: a repeated step writes its lines once. */
  readonly id: string;
  readonly photoId: string;
}

export interface OrderRecord {
  readonly id: string;
  readonly customerId: string;
  readonly state: OrderState;
  readonly kind: 'unlock' | 'topup';
  readonly pack: string | null;
  readonly credits: number;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly method: PaymentMethod;
  readonly chat: ChatRef;
  readonly payToken: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly paidMs: number | null;
  readonly refundedMinor: number;
  /** The customer's when they ordered: what the provider shows is written in it. Null: before 008. */
  readonly language: Language | null;
}

/** The charge's id is the number the provider knows it by (out_trade_no). */
export interface ChargeRecord {
  readonly id: string;
  readonly orderId: string;
  readonly gateway: GatewayId;
  readonly state: ChargeRecordState;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly merchantId: string;
  readonly appId: string;
  readonly expiresMs: number;
  readonly offer: ChargeOffer | null;
  readonly providerId: string | null;
  readonly paidMs: number | null;
  readonly createdMs: number;
  /** When to ask the gateway again; null: no more. */
  readonly nextPollMs: number | null;
  readonly polls: number;
}

/** The refund's id is the number the provider knows it by (out_refund_no). */
export interface RefundRecord {
  readonly id: string;
  readonly orderId: string;
  readonly chargeId: string;
  /** Natural key, unique per order. */
  readonly key: string;
  readonly state: RefundRecordState;
  readonly amountMinor: number;
  /** Credits taken back from the customer for it. */
  readonly credits: number;
  readonly reason: string;
  readonly createdMs: number;
  readonly nextPollMs: number | null;
  readonly polls: number;
}

/** At most one hold of a photo is held or posted: the database enforces it. */
export interface HoldRecord {
  readonly id: string;
  readonly customerId: string;
  readonly photoId: string;
  readonly orderId: string | null;
  readonly credits: number;
  readonly state: HoldState;
  readonly createdMs: number;
  readonly settledMs: number | null;
  /** What was handed over for it; stays after retention has deleted the file. */
  readonly deliveredKey: string | null;
}

export type Asset = 'CREDIT' | Currency;

/** Append-only; a correction is another transfer. */
export interface TransferRecord {
  readonly id: string;
  /** Natural key, unique. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly asset: Asset;
  readonly atMs: number;
}

/**
 * `holder`: what it owns, grows by transfers to it. `source`: where value enters the books
 * (a gateway, credits given out), grows by transfers from it. Neither balance goes below zero.
 */
export interface AccountRecord {
  readonly id: string;
  readonly asset: Asset;
  readonly side: 'holder' | 'source';
  readonly balance: number;
}

export interface NotificationRecord {
  readonly gateway: GatewayId;
  readonly key: string;
  readonly outTradeNo: string | null;
  readonly outRefundNo: string | null;
  /** The verified status, JSON. */
  readonly status: unknown;
  readonly receivedMs: number;
  readonly handledMs: number | null;
}

/** Money we cannot place: never delivered, never dropped, shown to the operator. */
export interface QuarantineRecord {
  readonly id: string;
  readonly gateway: GatewayId;
  /** Natural: the same finding is kept once. */
  readonly key: string;
  readonly outTradeNo: string;
  readonly reason: string;
  readonly status: unknown;
  readonly atMs: number;
  readonly resolvedMs: number | null;
}

/** What a customer asks about. */
export type QuestionSubject = 'question' | 'refund' | 'claim';

/** A customer's words to the operator, kept until somebody reads them; they go with the customer. */
export interface QuestionRecord {
  readonly key: string;
  readonly customerId: string;
  readonly subject: QuestionSubject;
  readonly text: string;
  readonly orderId: string | null;
  readonly createdMs: number;
  readonly answeredMs: number | null;
}

/** A wish under a caller's idempotency key: the same key must ask for the same thing. */
export interface WishRecord {
  readonly customerId: string;
  readonly key: string;
  readonly request: string;
  readonly orderId: string | null;
}
