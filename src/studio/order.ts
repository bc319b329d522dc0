import type { Moves } from './state-machine.js';

/**
 * created: stored before the gateway is asked. pending: the customer can pay. paid: money is
 * ours, credits are transferred in the same transaction. fulfilled: what was bought was handed
 * over. closing: expired here, being closed at the provider. closed: verified closed there.
 * credited: money came, but what was bought could not be given (late, deleted photo): it became
 * credits. refunded: all of it went back.
 */
export const orderStateNames = [
  'created',
  'pending',
  'paid',
  'fulfilled',
  'closing',
  'closed',
  'credited',
  'refunded',
] as const;
/** Where an order stands. */
export type OrderState = (typeof orderStateNames)[number];

/** What an order may become. */
export const orderMoves: Moves<OrderState> = {
  created: ['pending', 'closing', 'closed', 'paid'],
  pending: ['paid', 'closing'],
  closing: ['closed', 'paid'],
  closed: ['credited'],
  paid: ['fulfilled', 'credited', 'refunded'],
  fulfilled: ['refunded'],
  credited: ['refunded'],
  refunded: [],
};

/**
 * Who ordered has erased everything: there is nobody to serve or to tell, so money that cannot be
 * served any more goes back.
 */
export function isErased({ chat }: { readonly chat: { readonly chatId: string } }): boolean {
  return chat.chatId === '';
}

/** One attempt to collect an order's money at one gateway. */
export type ChargeRecordState = 'intent' | 'open' | 'paid' | 'closed';

export const chargeMoves: Moves<ChargeRecordState> = {
  intent: ['open', 'paid', 'closed'],
  open: ['paid', 'closed'],
  closed: ['paid'],
  paid: [],
};

/** intent: number stored, call not answered. abnormal: the provider needs the operator. */
export type RefundRecordState = 'intent' | 'processing' | 'succeeded' | 'abnormal' | 'closed';

export const refundMoves: Moves<RefundRecordState> = {
  intent: ['processing', 'succeeded', 'abnormal', 'closed'],
  processing: ['succeeded', 'abnormal', 'closed'],
  abnormal: ['processing', 'succeeded', 'closed'],
  succeeded: [],
  closed: [],
};

/** Credits set aside for a restore: posted on delivery, voided on failure. */
export type HoldState = 'held' | 'posted' | 'voided';

export const holdMoves: Moves<HoldState> = {
  held: ['posted', 'voided'],
  posted: [],
  voided: [],
};
