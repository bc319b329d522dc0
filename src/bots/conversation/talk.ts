import type { ChatRef } from '../../studio/jobs.js';
import { yuan } from '../../studio/money.js';
import type { Clock, Logger, Messages } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Currency } from '../../studio/ports/gateway.js';
import type { Customer, OrderView, Studio } from '../../studio/ports/studio.js';
import type { Abilities } from '../abilities.js';
import type { Choice, Reply } from './reply.js';

/** What answers are made with. */
export interface ConversationDeps {
  readonly studio: Studio;
  readonly chatLog: ChatLog;
  readonly blobs: Blobs;
  readonly messages: Messages;
  readonly clock: Clock;
  readonly log: Logger;
  /** PNG of an order's QR code with amount, purpose and expiry under it. */
  readonly qrPicture: (order: OrderView, customer: Customer) => Promise<Uint8Array>;
  /** Writes a ZIP of files and returns its path; the caller owns the file. */
  readonly zipFiles: (
    files: readonly { readonly file: string; readonly name: string }[],
  ) => Promise<string>;
  /** Whether there is an operator's chat; else words are kept for the command line. */
  readonly operatorListens: boolean;
  /** Hand a customer's words to the operator. */
  readonly askOperator: (talk: Talk, text: string) => Promise<Heard>;
  /** Ask the operator to join this customer with the one of an older code. */
  readonly askToJoin: (talk: Talk, olderCode: string) => Promise<Heard>;
  /** Ask the operator to give an order's money back. */
  readonly askRefund: (talk: Talk, order: OrderView) => Promise<Heard>;
}

/** The operator was told in their chat, or it is kept until they look. */
export type Heard = 'sent' | 'kept';

/** What answers depend on beside the customer. */
export interface ConversationConfig {
  /** Our own address for pay pages; absent without a public one. */
  readonly publicUrl?: string;
  /** Photos are deleted after so many days; 0: kept. Said in the greeting. */
  readonly retentionDays: number;
  readonly presets: readonly string[];
  /** IANA name: times are said as the shop's customers know them. */
  readonly timeZone: string;
  /** Photos got their first word as they came: a plain "got it" is not said again. */
  readonly greetsPhotos: boolean;
  /** What the channel carries; all that the conversation knows of it. */
  readonly abilities: Abilities;
}

/** Who is talking, where, and the natural key of what they just said. */
export interface Talk {
  readonly customer: Customer;
  readonly chat: ChatRef;
  readonly key: string;
}

/** Texts for one customer. */
export function speak(deps: Pick<ConversationDeps, 'messages'>, customer: Customer) {
  return (key: string, params?: Readonly<Record<string, string | number>>): string =>
    deps.messages.text(`bots.${key}`, customer.language, params);
}

/** Texts of `bots.*` in a customer's language. */
export type Say = ReturnType<typeof speak>;

/** `¥9.90` or `100 ⭐`. */
export function priceText(amountMinor: number, currency: Currency): string {
  return currency === 'XTR' ? `${amountMinor} ⭐` : `¥${yuan(amountMinor)}`;
}

/** `2026-05-01 09:30` in the shop's time zone. */
export function timeText({ timeZone }: Pick<ConversationConfig, 'timeZone'>, atMs: number): string {
  const format = { timeZone, dateStyle: 'short', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv-SE', format).format(atMs);
}

/** State under a customer's id: they chose their language themselves. */
export const languageChosen = 'languageChosen';

/** A plain answer, keyed by what it answers so that a repeated update does not repeat it. */
export function answer(talk: Talk, text: string, choices?: readonly (readonly Choice[])[]): Reply {
  return { key: `re:${talk.key}`, text, ...(choices ? { choices } : {}) };
}
