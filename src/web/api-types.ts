// Written by `npm run api:types` from the OpenAPI document; change api-shapes.ts instead.

import type { PaymentMethod } from '../studio/ports/gateway.js';

/** One way to colour a photo */
export interface Look {
  id: string;
  /** 0 is the first look */
  index: number;
  status: 'waiting' | 'ready' | 'failed';
  model: string;
  /** Chroma, 1 is as predicted */
  strength: number;
  /** -1 cooler, 1 warmer */
  warmth: number;
  notes: string[];
  sizePx?: number;
  provider?: string;
  seconds?: number;
  previewUrl?: string;
  comparisonUrl?: string;
}

/** A photo and its looks */
export interface Photo {
  id: string;
  status: 'received' | 'queued' | 'restoring' | 'ready' | 'failed' | 'cancelled' | 'deleted';
  preset: string;
  createdAt: string;
  looks: Look[];
  /** HD is paid for */
  unlocked: boolean;
  /** Photos before this one, while it waits */
  position?: number;
  etaSeconds?: number;
  /** All cards rest until they have cooled */
  waitingFor?: 'card';
  /** 0..1 */
  progress?: number;
  albumId?: string;
  widthPx?: number;
  heightPx?: number;
  selectedLookId?: string;
  originalUrl?: string;
  sheetUrl?: string;
  masterUrl?: string;
  /** The HD file as large as a screen */
  screenUrl?: string;
  /** The visible label on the HD file; absent where there is no choice */
  label?: 'with' | 'without';
  error?: {
    code: string;
    detail: string;
  };
}

/** A photo that was taken in */
export interface PhotoAccepted {
  id: string;
  status: string;
  position: number;
  etaSeconds: number;
}

/** A purchase */
export interface Order {
  id: string;
  status:
    | 'created'
    | 'pending'
    | 'paid'
    | 'fulfilled'
    | 'closing'
    | 'closed'
    | 'credited'
    | 'refunded';
  kind: 'unlock' | 'topup';
  credits: number;
  /** Fen, or Stars */
  amountMinor: number;
  currency: 'CNY' | 'XTR';
  method: PaymentMethod;
  /** True: no real money */
  sandbox: boolean;
  photoIds: string[];
  /** Pay page; works without a cookie */
  payUrl: string;
  createdAt: string;
  expiresAt: string;
  refundedMinor: number;
  pack?: string;
  /** The amount, if it is in yuan */
  amountFen?: number;
  /** Text of the QR code */
  qr?: string;
  /** Opens the provider's app on the same phone */
  appUrl?: string;
  paidAt?: string;
}

/** HD is being made */
export interface Unlocked {
  status: 'unlocked';
}

/** HD comes when this is paid */
export interface PaymentNeeded {
  order: Order;
}

/** An order as the bearer of its token sees it */
export interface OrderToPay {
  order: {
    id: string;
    status:
      | 'created'
      | 'pending'
      | 'paid'
      | 'fulfilled'
      | 'closing'
      | 'closed'
      | 'credited'
      | 'refunded';
    kind: 'unlock' | 'topup';
    credits: number;
    /** Fen, or Stars */
    amountMinor: number;
    currency: 'CNY' | 'XTR';
    method: PaymentMethod;
    /** True: no real money */
    sandbox: boolean;
    /** The amount, if it is in yuan */
    amountFen?: number;
  };
  photos: number;
  payUrl: string;
  expiresAt: string;
  qr?: string;
  appUrl?: string;
  qrUrl?: string;
  paidAt?: string;
}

/** What a paid order says for the books */
export interface Receipt {
  orderId: string;
  lines: {
    text: string;
    amountMinor: number;
  }[];
  currency: 'CNY' | 'XTR';
  method: PaymentMethod;
  paidAt: string;
}

/** What HD and credits cost, and how they can be paid here */
export interface Prices {
  hdCredits: number;
  hdAmountFen: number;
  welcomeCredits: number;
  freePreviewsPerDay: number;
  packs: {
    id: string;
    credits: number;
    amountFen: number;
  }[];
  methods: PaymentMethod[];
}

/** The customer */
export interface Me {
  language: 'zh-CN' | 'en';
  credits: number;
  freePreviewsLeftToday: number;
  settings: {
    preset: string;
    finishing: {
      [k: string]: number;
    };
  };
  identities: string[];
  /** Absent before the first call that changes something */
  id?: string;
  /** Quote it to the operator; absent like id */
  customerCode?: string;
}

/** Joins another chat, once */
export interface LinkCode {
  code: string;
  expiresAt: string;
}

/** Credits that a code brought */
export interface Redeemed {
  credits: number;
}

/** Something that happened to a photo */
export interface TimelineEntry {
  at: string;
  event: string;
  text: string;
  details: {
    [k: string]: unknown;
  };
}

/** A refusal: RFC 9457 problem details with a stable code */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  instance: string;
  params?: {
    [k: string]: unknown;
  };
  reference?: string;
}
