import type { PaymentMethod } from './gateway.js';

/** Wall clock. Core and rings never read the system's own. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Milliseconds since some moment, by a clock that nobody sets. Absent: `now` is never set. */
  steadyMs?(): number;
}

/** Prefix of an id tells its kind at a glance in a log. */
export type IdKind =
  | 'customer' // cu_
  | 'photo' // ph_
  | 'look' // lk_
  | 'album' // al_
  | 'order' // or_
  | 'charge' // ch_
  | 'refund' // rf_
  | 'hold' // ho_
  | 'transfer' // tr_
  | 'event'; // ev_

/** Makes names for things. */
export interface Ids {
  /** Time-sortable, unguessable, [a-z0-9_], at most 32 characters (WeChat's out_trade_no limit). */
  next(kind: IdKind): string;
  /** Human code from an alphabet without look-alikes (no 0 O 1 I L), e.g. for /link. */
  code(length: number): string;
}

/** A language customers are answered in. */
export type Language = 'zh-CN' | 'en';

/** What the rest of the house has to know of a channel. */
interface ChannelTraits {
  /** Our own page, or a chat in which a bot talks. */
  readonly kind: 'page' | 'chat';
  /** Section of the settings that turns it on. */
  readonly settings: string;
  /** Ways to pay that suit it: the example of its setting. */
  readonly suits: readonly PaymentMethod[];
}

/** Every channel; of several chats that are the operator's, the first counts. */
export const channels = {
  web: { kind: 'page', settings: 'web', suits: ['alipay', 'wechatpay'] },
  telegram: { kind: 'chat', settings: 'telegram', suits: ['stars'] },
  wechat: { kind: 'chat', settings: 'wechat', suits: ['wechatpay'] },
} as const satisfies Readonly<Record<string, ChannelTraits>>;

type Channels = typeof channels;

/** A place where customers are. */
export type ChannelId = keyof Channels;
/** A channel that is a chat. */
export type ChatChannelId = {
  [C in ChannelId]: Channels[C]['kind'] extends 'chat' ? C : never;
}[ChannelId];
/** Sections of the settings in which channels are set up. */
export type ChannelSection = Channels[ChannelId]['settings'];

/** All channels. */
export const channelNames = Object.keys(channels) as readonly ChannelId[];
/** All chats. */
export const chatChannelNames = channelNames.filter(isChat);

/** Whether a channel is a chat in which a bot talks. */
function isChat(channel: ChannelId): channel is ChatChannelId {
  return channels[channel].kind === 'chat';
}

/** One value per channel. */
export function perChannel<T>(of: (channel: ChannelId) => T): Readonly<Record<ChannelId, T>> {
  return Object.fromEntries(channelNames.map((id) => [id, of(id)])) as Record<ChannelId, T>;
}

/** JSON lines, events named `photo.delivered`; fields never hold secrets or personal data. */
export interface Logger {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}

/** Localised texts of config/messages. */
export interface Messages {
  text(key: string, language: Language, params?: Readonly<Record<string, string | number>>): string;
}
