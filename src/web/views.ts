import type { TimelineEntry } from '../studio/jobs.js';
import type { Language, Messages } from '../studio/ports/basics.js';
import type { PaymentMethod } from '../studio/ports/gateway.js';
import { paymentMethods } from '../studio/ports/gateway.js';
import type { LookView, OrderView, PhotoView, PriceList, Receipt } from '../studio/ports/studio.js';
import type * as Api from './api-types.js';

/** Words and addresses of one answer. */
export interface ViewContext {
  readonly messages: Messages;
  readonly language: Language;
  /** Origin for absolute addresses, without a trailing slash. */
  readonly baseUrl: string;
}

const iso = (ms: number) => new Date(ms).toISOString();
const isoIf = (ms: number | undefined) => (ms === undefined ? undefined : iso(ms));

/** A photo as the API shows it; see the schema `Photo`. */
export function photoJson(photo: PhotoView, context: ViewContext): Api.Photo {
  const base = `/api/v1/photos/${photo.id}`;
  return {
    id: photo.id,
    status: photo.status,
    position: photo.position,
    etaSeconds: photo.etaSeconds,
    waitingFor: photo.waitingFor,
    progress: photo.progress,
    preset: photo.preset,
    albumId: photo.albumId,
    createdAt: iso(photo.createdAtMs),
    widthPx: photo.widthPx,
    heightPx: photo.heightPx,
    looks: photo.looks.map((look) => lookJson(look, base, context)),
    selectedLookId: photo.selectedLookId,
    unlocked: photo.unlocked,
    originalUrl: photo.originalKey && `${base}/original`,
    sheetUrl: photo.sheetKey && `${base}/sheet`,
    masterUrl: photo.masterKey && `${base}/master`,
    // The address says which file it is, or a browser would show the one before.
    screenUrl: photo.screenKey && `${base}/screen?file=${photo.screenKey.slice(-12)}`,
    label: photo.label,
    error: photo.error && {
      code: photo.error.code,
      detail: context.messages.text(photo.error.messageKey, context.language, photo.error.params),
    },
  };
}

function lookJson(look: LookView, base: string, context: ViewContext): Api.Look {
  return {
    id: look.id,
    index: look.index,
    status: look.state,
    model: look.model,
    sizePx: look.sizePx,
    strength: look.finishing.strength ?? 1,
    warmth: look.finishing.warmth ?? 0,
    provider: look.provider,
    seconds: look.seconds,
    notes: look.notes.map((note) => context.messages.text(note.key, context.language, note.params)),
    previewUrl: look.previewKey && `${base}/preview?look=${look.id}`,
    comparisonUrl: look.comparisonKey && `${base}/comparison?look=${look.id}`,
  };
}

/** An order as the API shows it; see the schema `Order`. */
export function orderJson(order: OrderView, context: ViewContext): Api.Order {
  return {
    id: order.id,
    status: order.state,
    kind: order.kind,
    photoIds: [...order.photoIds],
    pack: order.pack,
    credits: order.credits,
    amountFen: order.currency === 'CNY' ? order.amountMinor : undefined,
    amountMinor: order.amountMinor,
    currency: order.currency,
    method: order.method,
    sandbox: paymentMethods[order.method].money === 'sandbox',
    qr: order.qr,
    appUrl: order.appUrl,
    payUrl: context.baseUrl + order.payPath,
    createdAt: iso(order.createdAtMs),
    expiresAt: iso(order.expiresAtMs),
    paidAt: isoIf(order.paidAtMs),
    refundedMinor: order.refundedMinor,
  };
}

/** What the pay page's bearer may see: the purchase, nothing about the customer. */
export function payJson(order: OrderView, context: ViewContext): Api.OrderToPay {
  const { id, status, kind, credits, amountMinor, amountFen, currency, method, sandbox } =
    orderJson(order, context);
  const { qr, appUrl, payUrl, expiresAt, paidAt } = orderJson(order, context);
  return {
    order: { id, status, kind, credits, amountMinor, amountFen, currency, method, sandbox },
    photos: order.photoIds.length,
    qr,
    appUrl,
    payUrl,
    qrUrl: qr && `/api/v1${order.payPath}/qr.svg`,
    expiresAt,
    paidAt,
  };
}

/** What things cost here and how they can be paid; see the schema `Prices`. */
export function priceJson(prices: PriceList, methods: readonly PaymentMethod[]): Api.Prices {
  return {
    hdCredits: prices.hdCredits,
    hdAmountFen: prices.hdAmountFen,
    welcomeCredits: prices.welcomeCredits,
    freePreviewsPerDay: prices.freePreviewsPerDay,
    packs: prices.packs.map(({ id, credits, amountFen }) => ({ id, credits, amountFen })),
    methods: [...methods],
  };
}

/** One line of a photo's history; `text` is for people, `event` and `details` for programs. */
export function timelineJson(entry: TimelineEntry, context: ViewContext): Api.TimelineEntry {
  // Names of machines and numbers of processes are the operator's.
  const { worker: _, ...details } = entry.details;
  return {
    at: iso(entry.atMs),
    event: entry.event,
    details,
    text: timelineText(entry, context),
  };
}

/** A note carries the key of its own message; anything unknown shows its event's name. */
function timelineText({ event, details }: TimelineEntry, context: ViewContext): string {
  const key = event === 'photo.note' ? String(details['key']) : `timeline.${event}`;
  const text = context.messages.text(key, context.language, details);
  return text === key ? event : text;
}

/** A receipt's lines are message keys. */
export function receiptJson(receipt: Receipt, context: ViewContext): Api.Receipt {
  const { orderId, currency, method, paidAtMs } = receipt;
  const lines = receipt.lines.map(({ text, amountMinor }) => ({
    text: context.messages.text(text, context.language),
    amountMinor,
  }));
  return { orderId, lines, currency, method, paidAt: iso(paidAtMs) };
}
