import type { FastifyInstance, FastifySchema } from 'fastify';

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const integer = { type: 'integer' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const texts = { type: 'array', items: text } as const;
const open = { type: 'object', additionalProperties: true } as const;

const finishing = { type: 'object', additionalProperties: number } as const;

/** Shapes of the API's answers, by name: documentation and serializers at once. */
const shapes: Record<string, Record<string, unknown>> = {
  Look: {
    id: text,
    index: { ...integer, description: '0 is the first look' },
    status: { type: 'string', enum: ['waiting', 'ready', 'failed'] },
    model: text,
    sizePx: integer,
    strength: number,
    warmth: number,
    provider: text,
    seconds: number,
    notes: texts,
    previewUrl: text,
    comparisonUrl: text,
  },
  Photo: {
    id: text,
    status: {
      type: 'string',
      enum: ['received', 'queued', 'restoring', 'ready', 'failed', 'cancelled', 'deleted'],
    },
    position: { ...integer, description: 'Photos before this one, while it waits' },
    etaSeconds: number,
    waitingFor: {
      type: 'string',
      enum: ['card'],
      description: 'All cards rest until they have cooled',
    },
    progress: { ...number, description: '0..1' },
    preset: text,
    albumId: text,
    createdAt: time,
    widthPx: integer,
    heightPx: integer,
    looks: { type: 'array', items: { $ref: 'Look#' } },
    selectedLookId: text,
    unlocked: { type: 'boolean' },
    originalUrl: text,
    sheetUrl: text,
    masterUrl: text,
    error: { type: 'object', properties: { code: text, detail: text } },
  },
  PhotoAccepted: { id: text, status: text, position: integer, etaSeconds: number },
  Unlocked: { status: { type: 'string', enum: ['unlocked'] } },
  PaymentNeeded: { order: { $ref: 'Order#' } },
  Order: {
    id: text,
    status: {
      type: 'string',
      enum: [
        'created',
        'pending',
        'paid',
        'fulfilled',
        'closing',
        'closed',
        'credited',
        'refunded',
      ],
    },
    kind: { type: 'string', enum: ['unlock', 'topup'] },
    photoIds: texts,
    pack: text,
    credits: integer,
    amountFen: integer,
    amountMinor: integer,
    currency: { type: 'string', enum: ['CNY', 'XTR'] },
    method: text,
    sandbox: { type: 'boolean', description: 'True: no real money' },
    qr: { ...text, description: 'Text of the QR code' },
    appUrl: { ...text, description: "Opens the provider's app on the same phone" },
    payUrl: { ...text, description: 'Pay page; works without a cookie' },
    createdAt: time,
    expiresAt: time,
    paidAt: time,
    refundedMinor: integer,
  },
  Receipt: {
    orderId: text,
    lines: { type: 'array', items: { type: 'object', properties: { text, amountMinor: integer } } },
    currency: text,
    method: text,
    paidAt: time,
  },
  Me: {
    id: text,
    language: { type: 'string', enum: ['zh-CN', 'en'] },
    customerCode: { ...text, description: 'Quote it to the operator' },
    credits: integer,
    freePreviewsLeftToday: integer,
    settings: { type: 'object', properties: { preset: text, finishing } },
    identities: texts,
  },
  TimelineEntry: { at: time, event: text, text, details: open },
  Problem: {
    type: text,
    title: text,
    status: integer,
    code: text,
    detail: text,
    instance: text,
    params: open,
    reference: text,
  },
};

/** References for route schemas. */
export const ref = {
  one: (name: string) => ({ $ref: `${name}#` }),
  list: (name: string) => ({ type: 'array', items: { $ref: `${name}#` } }),
  empty: { type: 'null', description: 'Nothing to say' },
} as const;

/** Make the named shapes known to routes of this instance. */
export function addShapes(app: FastifyInstance): void {
  for (const [name, properties] of Object.entries(shapes)) {
    app.addSchema({ $id: name, type: 'object', properties });
  }
}

/** A route's schema; `form` and `refusals` are for readers only (openapi-document.ts). */
export interface RouteSchema extends FastifySchema {
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
  readonly description?: string;
  /** Fields of a multipart body that the handler reads itself. */
  readonly form?: object;
  /** By status: when. */
  readonly refusals?: Readonly<Record<number, string>>;
}

/** How a refusal looks. */
export const refusal = (description = 'Refused: RFC 9457 problem details') => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
});

/** A route's schema: what it is for, what goes in and out, and how every route fails. */
export function describe(summary: string, schema: RouteSchema = {}): FastifySchema {
  const own = schema.response as Record<string, unknown> | undefined;
  const response = own === undefined ? undefined : { ...own, '4xx': refusal(), '5xx': refusal() };
  return { summary, ...schema, ...(response ? { response } : {}) } as FastifySchema;
}
