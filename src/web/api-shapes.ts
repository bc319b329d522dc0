import { orderStateNames } from '../studio/order.js';
import { lookStateNames, photoStateNames } from '../studio/photo.js';
import { methodNames } from '../studio/ports/gateway.js';

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const integer = { type: 'integer' } as const;
const yes = { type: 'boolean' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const texts = { type: 'array', items: text } as const;
const open = { type: 'object', additionalProperties: true } as const;
const method = { type: 'string', enum: methodNames } as const;
const currency = { type: 'string', enum: ['CNY', 'XTR'] } as const;
const purpose = { type: 'string', enum: ['unlock', 'topup'] } as const;
const preset = text;
const finishing = { type: 'object', additionalProperties: number } as const;

const orderState = {
  type: 'string',
  enum: orderStateNames,
} as const;

/** Bought, at what price and how: what the customer and the bearer of a pay page both see. */
const bill = {
  id: text,
  status: orderState,
  kind: purpose,
  credits: integer,
  amountMinor: { ...integer, description: 'Fen, or Stars' },
  currency,
  method,
  sandbox: { ...yes, description: 'True: no real money' },
} as const;

const amountFen = { ...integer, description: 'The amount, if it is in yuan' } as const;

type Fields = Readonly<Record<string, object>>;

/** An object: fields that are always there, then those that may be missing. */
const object = (always: Fields, maybe: Fields = {}, description?: string) => ({
  ...(description ? { description } : {}),
  type: 'object',
  required: Object.keys(always),
  properties: { ...always, ...maybe },
});

const list = (name: string) => ({ type: 'array', items: { $ref: `${name}#` } });

/**
 * Shapes of the API's answers, by name: documentation, serializers and the types of the page at once
 * (`npm run api:types` writes api-types.ts from the document).
 */
export const apiShapes: Readonly<Record<string, ReturnType<typeof object>>> = {
  Look: object(
    {
      id: text,
      index: { ...integer, description: '0 is the first look' },
      status: { type: 'string', enum: lookStateNames },
      model: text,
      strength: { ...number, description: 'Chroma, 1 is as predicted' },
      warmth: { ...number, description: '-1 cooler, 1 warmer' },
      notes: texts,
    },
    { sizePx: integer, provider: text, seconds: number, previewUrl: text, comparisonUrl: text },
    'One way to colour a photo',
  ),
  Photo: object(
    {
      id: text,
      status: { type: 'string', enum: photoStateNames },
      preset,
      createdAt: time,
      looks: list('Look'),
      unlocked: { ...yes, description: 'HD is paid for' },
    },
    {
      position: { ...integer, description: 'Photos before this one, while it waits' },
      etaSeconds: number,
      waitingFor: {
        type: 'string',
        enum: ['card'],
        description: 'All cards rest until they have cooled',
      },
      progress: { ...number, description: '0..1' },
      albumId: text,
      widthPx: integer,
      heightPx: integer,
      selectedLookId: text,
      originalUrl: text,
      sheetUrl: text,
      masterUrl: text,
      screenUrl: { ...text, description: 'The HD file as large as a screen' },
      label: {
        type: 'string',
        enum: ['with', 'without'],
        description: 'The visible label on the HD file; absent where there is no choice',
      },
      error: object({ code: text, detail: text }),
    },
    'A photo and its looks',
  ),
  PhotoAccepted: object(
    { id: text, status: text, position: integer, etaSeconds: number },
    {},
    'A photo that was taken in',
  ),
  Order: object(
    {
      ...bill,
      photoIds: texts,
      payUrl: { ...text, description: 'Pay page; works without a cookie' },
      createdAt: time,
      expiresAt: time,
      refundedMinor: integer,
    },
    {
      pack: text,
      amountFen,
      qr: { ...text, description: 'Text of the QR code' },
      appUrl: { ...text, description: "Opens the provider's app on the same phone" },
      paidAt: time,
    },
    'A purchase',
  ),
  Unlocked: object({ status: { type: 'string', enum: ['unlocked'] } }, {}, 'HD is being made'),
  PaymentNeeded: object({ order: { $ref: 'Order#' } }, {}, 'HD comes when this is paid'),
  OrderToPay: object(
    { order: object(bill, { amountFen }), photos: integer, payUrl: text, expiresAt: time },
    { qr: text, appUrl: text, qrUrl: text, paidAt: time },
    'An order as the bearer of its token sees it',
  ),
  Receipt: object(
    {
      orderId: text,
      lines: { type: 'array', items: object({ text, amountMinor: integer }) },
      currency,
      method,
      paidAt: time,
    },
    {},
    'What a paid order says for the books',
  ),
  Prices: object(
    {
      hdCredits: integer,
      hdAmountFen: integer,
      welcomeCredits: integer,
      freePreviewsPerDay: integer,
      packs: {
        type: 'array',
        items: object({ id: text, credits: integer, amountFen: integer }),
      },
      methods: { type: 'array', items: method },
    },
    {},
    'What HD and credits cost, and how they can be paid here',
  ),
  Me: object(
    {
      language: { type: 'string', enum: ['zh-CN', 'en'] },
      credits: integer,
      freePreviewsLeftToday: integer,
      settings: object({ preset, finishing }),
      identities: texts,
    },
    {
      id: { ...text, description: 'Absent before the first call that changes something' },
      customerCode: { ...text, description: 'Quote it to the operator; absent like id' },
    },
    'The customer',
  ),
  LinkCode: object({ code: text, expiresAt: time }, {}, 'Joins another chat, once'),
  Redeemed: object({ credits: integer }, {}, 'Credits that a code brought'),
  TimelineEntry: object(
    { at: time, event: text, text, details: open },
    {},
    'Something that happened to a photo',
  ),
  Problem: object(
    { type: text, title: text, status: integer, code: text, detail: text, instance: text },
    { params: open, reference: text },
    'A refusal: RFC 9457 problem details with a stable code',
  ),
};
