import type { ChatRef } from '../jobs.js';
import type { ChannelId, Language } from './basics.js';
import type { Currency } from './gateway.js';

/** Numbers since midnight in the shop's time zone. */
export interface DayNumbers {
  readonly photos: number;
  readonly ready: number;
  readonly failed: number;
  readonly waiting: number;
  readonly newCustomers: number;
  readonly paid: readonly {
    readonly currency: Currency;
    readonly orders: number;
    readonly amountMinor: number;
  }[];
  readonly quarantined: number;
  readonly paused: boolean;
}

/** A photo that has not moved for long. */
export interface StuckPhoto {
  readonly photoId: string;
  readonly customerCode: string;
  readonly state: string;
  readonly idleMs: number;
  readonly lastError?: string;
}

/** What the operator does from a chat. Every call that changes something is logged. */
export interface Desk {
  today(): Promise<DayNumbers>;
  stuck(limit: number): Promise<readonly StuckPhoto[]>;
  /**
   * @param amountMinor absent: all that is left.
   * @throws {NotFound | NotPossibleNow | InvalidRequest}
   */
  refund(
    orderId: string,
    options: { amountMinor?: number; reason: string; key: string },
  ): Promise<{ refundId: string; amountMinor: number; currency: Currency }>;
  /** Stop or go on taking photos in. */
  setPaused(paused: boolean): Promise<void>;
  /** Tell a customer something, wherever they were seen last. @throws {NotFound} */
  answer(customerCode: string, text: string, key: string): Promise<void>;
  /**
   * What the customer of the newer code has becomes the older one's.
   * @returns the customer's language. @throws {NotFound}
   */
  join(olderCode: string, newerCode: string): Promise<Language>;
  /** Private chats of customers who were seen since, for a broadcast. */
  chats(channel: ChannelId, sinceMs: number): Promise<readonly ChatRef[]>;
}
