/** CNY counts fen, XTR counts Telegram Stars. */
export const currencies = ['CNY', 'XTR'] as const;
/** One of them. */
export type Currency = (typeof currencies)[number];

/** What the rest of the house has to know of a way to pay. */
interface MethodTraits {
  /** `provider`: real money. `sandbox`: pretended. `ledger`: reaches no gateway. */
  readonly money: 'provider' | 'sandbox' | 'ledger';
  readonly currency: Currency;
  /** A code to scan, or an invoice that the provider shows in its own chat. */
  readonly shows: 'code' | 'invoice';
  /** How its notifications come: to our own address, or over the bot's own connection. */
  readonly notifies: 'http' | 'chat';
  /** Where its day begins on a bill, as an offset of ISO 8601. */
  readonly billZone: 'Z' | '+08:00';
  /** Section of the settings that turns it on. */
  readonly settings: string;
}

const inYuan = { currency: 'CNY', shows: 'code', notifies: 'http', billZone: '+08:00' } as const;

const inStars = { currency: 'XTR', shows: 'invoice', notifies: 'chat', billZone: 'Z' } as const;

/** Every way to pay, in the order of lists. Types, lists, buttons and checks are made from it. */
export const paymentMethods = {
  sandbox: { money: 'sandbox', ...inYuan, settings: 'sandbox' },
  alipay: { money: 'provider', ...inYuan, settings: 'alipay' },
  wechatpay: { money: 'provider', ...inYuan, settings: 'wechatpay' },
  stars: { money: 'provider', ...inStars, settings: 'telegram' },
  credits: { money: 'ledger', ...inYuan, settings: 'prices' },
} as const satisfies Readonly<Record<string, MethodTraits>>;

type Methods = typeof paymentMethods;
type MethodsBy<Money extends MethodTraits['money']> = {
  [M in keyof Methods]: Methods[M]['money'] extends Money ? M : never;
}[keyof Methods];

/** A way to pay. */
export type PaymentMethod = keyof Methods;
/** A way to pay that a gateway takes. */
export type GatewayId = MethodsBy<'provider' | 'sandbox'>;
/** A way to pay that moves real money. */
export type ProviderId = MethodsBy<'provider'>;
/** Sections of the settings in which providers are set up. */
export type ProviderSection = Methods[ProviderId]['settings'];

/** All ways to pay. */
export const methodNames = Object.keys(paymentMethods) as readonly PaymentMethod[];
/** All gateways, the sandbox too. */
export const gatewayIds = methodNames.filter(isGateway);
/** All that move real money. */
export const providerIds = gatewayIds.filter(isProvider);

/** Whether a text, from a button or a request, names a way to pay. */
export function isPaymentMethod(text: string): text is PaymentMethod {
  return Object.hasOwn(paymentMethods, text);
}

/** Whether a gateway takes it: all but the ledger's own credits. */
export function isGateway(method: PaymentMethod): method is GatewayId {
  return paymentMethods[method].money !== 'ledger';
}

/** Whether it moves real money. */
export function isProvider(method: PaymentMethod): method is ProviderId {
  return paymentMethods[method].money === 'provider';
}

/** What a provider is asked to take. */
export interface ChargeRequest {
  /** Our number at the provider, natural key of the charge: [A-Za-z0-9_], 6..32 characters. */
  readonly outTradeNo: string;
  readonly amountMinor: number;
  readonly currency: Currency;
  /** A constant per kind of purchase, never customer text: it is part of signed strings. */
  readonly subject: string;
  readonly expiresAtMs: number;
  /** Stars invoices are sent into this chat. */
  readonly telegramChatId?: string;
}

/** What the customer needs to pay. */
export interface ChargeOffer {
  /** Text of the QR code, absent for invoices that live in the chat. */
  readonly qr?: string;
  /** Opens the provider's app on the same phone. */
  readonly appUrl?: string;
  /** True when the provider itself showed the invoice to the customer (Stars). */
  readonly shownInChat?: boolean;
}

/**
 * `absent`: the provider knows no such trade (Alipay before the scan). `unknown`: no answer we can
 * trust; ask again, never decide.
 */
export type ChargeState = 'open' | 'paid' | 'closed' | 'refunded' | 'absent' | 'unknown';

/** What a provider says of a charge. */
export interface ChargeStatus {
  readonly outTradeNo: string;
  readonly state: ChargeState;
  /** Provider's transaction id, unique per gateway. Present when paid. */
  readonly providerId?: string;
  /** What was really paid, exact. Present when paid. */
  readonly amountMinor?: number;
  readonly currency?: Currency;
  /** Who was paid, as the provider names it: compared with our own configuration. */
  readonly merchantId?: string;
  readonly appId?: string;
  readonly paidAtMs?: number;
}

/** What a provider is asked to give back. */
export interface RefundRequest {
  /** Stored before the first call and reused by every retry. */
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly providerId: string;
  readonly refundMinor: number;
  readonly totalMinor: number;
  readonly currency: Currency;
  /** Telegram wants the payer. */
  readonly telegramUserId?: string;
}

/**
 * `absent`: never heard of. `abnormal`: the provider needs help. `unknown`: no trustworthy answer.
 */
export type RefundState = 'succeeded' | 'processing' | 'abnormal' | 'closed' | 'absent' | 'unknown';

/** What a provider says of a refund. */
export interface RefundStatus {
  readonly outRefundNo: string;
  readonly state: RefundState;
  readonly refundMinor?: number;
}

/** A call of a provider, not yet believed. */
export interface RawNotification {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Set by a chat adapter alone: it came over the bot's own connection, not from a stranger. */
  readonly via?: 'chat';
  readonly body: Uint8Array;
}

/** A verified notification: signature, freshness and merchant already checked. */
export interface GatewayNotification {
  /** Natural key: the provider's notification id, or a hash of the content. */
  readonly key: string;
  readonly kind: 'charge' | 'refund' | 'other';
  readonly charge?: ChargeStatus;
  readonly refund?: RefundStatus & { readonly outTradeNo: string };
}

/** What the provider wants to hear. */
export interface NotificationReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** One line of the provider's daily statement. */
export interface BillLine {
  readonly kind: 'charge' | 'refund';
  readonly outTradeNo: string;
  readonly outRefundNo?: string;
  readonly providerId: string;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly atMs: number;
}

/**
 * A payment provider. Every method may be called again with the same numbers. A thrown
 * `GatewayUnknown` means nobody knows whether it happened: query before deciding, never assume
 * failure. `GatewayRefused` is a verified, final no.
 */
export interface PaymentGateway {
  readonly id: GatewayId;
  readonly currency: Currency;
  /** Compared with every status and notification. */
  readonly merchantId: string;
  readonly appId: string;
  createCharge(request: ChargeRequest): Promise<ChargeOffer>;
  queryCharge(outTradeNo: string): Promise<ChargeStatus>;
  closeCharge(outTradeNo: string): Promise<ChargeStatus>;
  refund(request: RefundRequest): Promise<RefundStatus>;
  queryRefund(request: RefundRequest): Promise<RefundStatus>;
  /** @param date YYYY-MM-DD in the provider's time zone. @throws {BillNotReady} */
  downloadBill(date: string): Promise<BillLine[]>;
  /** Verify and open. @throws {NotificationRejected} */
  openNotification(raw: RawNotification): Promise<GatewayNotification>;
  /** What the provider wants to hear. `accepted`: recorded, or seen before. */
  notificationReply(outcome: 'accepted' | 'rejected' | 'tryAgain'): NotificationReply;
}
