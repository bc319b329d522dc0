import type { ChatRef } from '../jobs.js';
import type { PhotoState } from '../photo.js';
import type { ChannelId } from './basics.js';
import type { Currency, GatewayId } from './gateway.js';

/** One movement of money as the database has it, for reconciliation. */
export interface MoneyMovement {
  readonly kind: 'charge' | 'refund';
  readonly outTradeNo: string;
  readonly outRefundNo?: string;
  readonly providerId?: string;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly atMs: number;
}

/** Questions over many rows, for operators; the stages never ask them. */
export interface ReportTable {
  photosSince(sinceMs: number): Promise<Readonly<Partial<Record<PhotoState, number>>>>;
  customersSince(sinceMs: number): Promise<number>;
  paidSince(
    sinceMs: number,
  ): Promise<readonly { currency: Currency; orders: number; amountMinor: number }[]>;
  /** Chats of identities seen since, newest first. */
  chatsSince(channel: ChannelId, sinceMs: number, limit: number): Promise<readonly ChatRef[]>;
  /** Paid charges and succeeded refunds of a gateway in [fromMs, toMs). */
  movements(gateway: GatewayId, fromMs: number, toMs: number): Promise<readonly MoneyMovement[]>;
}
