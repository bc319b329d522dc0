/** Wall clock. Core and rings never read the system's own. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
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

export interface Ids {
  /** Time-sortable, unguessable, [a-z0-9_], at most 32 characters (WeChat's out_trade_no limit). */
  next(kind: IdKind): string;
  /** Human code from an alphabet without look-alikes (no 0 O 1 I L), e.g. for /link. */
  code(length: number): string;
}

export type Language = 'zh-CN' | 'en';
export type ChannelId = 'web' | 'telegram' | 'wechat';

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
