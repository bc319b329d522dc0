import type { ChannelId, Language } from './ports/basics.js';
import type { Finishing } from './ports/colorizer.js';
import type { ExpiringKind } from './ports/expiry.js';
import type { PaymentMethod } from './ports/gateway.js';
import type { PriceList } from './ports/studio.js';

/** A named choice of model and finishing; customers pick by name. */
export interface Preset {
  readonly model: string;
  /** Model input, px; absent: the model's own. */
  readonly sizePx?: number;
  readonly finishing: Finishing;
}

/** How another look differs from the photo's preset. */
export interface Variant {
  readonly model?: string;
  readonly sizePx?: number;
  readonly finishing: Finishing;
}

/** What the operator decides about prices, looks, limits and how long things are kept. */
export interface StudioConfig {
  readonly prices: PriceList;
  readonly presets: Readonly<Record<string, Preset>>;
  readonly defaultPreset: string;
  /** Taken in order, round and round, by `addVariants`. */
  readonly variants: readonly Variant[];
  readonly preview: { readonly longEdgePx: number; readonly watermark: string };
  readonly label: {
    /** Visible corner text by the reader's language; absent: none anywhere. */
    readonly texts?: Readonly<Record<Language, string>>;
    readonly producer: string;
    /** Paid files without the visible label: never offered, for whoever confirms, or always. */
    readonly without: 'never' | 'ask' | 'always';
  };
  /** Ways to pay per channel, best first; only those with a gateway are offered. */
  readonly methods: Readonly<Record<ChannelId, readonly PaymentMethod[]>>;
  /** How long an order can be paid. */
  readonly orderMinutes: number;
  readonly linkCodeMinutes: number;
  /** Paid for, but the HD file cannot be made: money back, or keep it as credits. */
  readonly undeliverable: 'refund' | 'credit';
  /** IANA name; the free previews' day begins at midnight here. */
  readonly timeZone: string;
  readonly intake: {
    readonly waitingPerCustomer: number;
    readonly waitingTotal: number;
    /** Less free space than this where blobs go: nothing is taken in. */
    readonly minFreeBytes: number;
  };
  /** Days after the last change of a photo; 0 keeps for ever. */
  readonly retentionDays: Readonly<Record<ExpiringKind, number>>;
}
