import type {
  ChargeState,
  ChargeStatus,
  RefundState,
  RefundStatus,
} from '../../studio/ports/gateway.js';

const chargeStates: Readonly<Record<string, ChargeState>> = {
  SUCCESS: 'paid',
  REFUND: 'refunded',
  NOTPAY: 'open',
  USERPAYING: 'open',
  PAYERROR: 'open',
  CLOSED: 'closed',
  REVOKED: 'closed',
};

const refundStates: Readonly<Record<string, RefundState>> = {
  SUCCESS: 'succeeded',
  PROCESSING: 'processing',
  ABNORMAL: 'abnormal',
  CLOSED: 'closed',
};

/**
 * A transaction as query answers and notifications carry it.
 * @returns undefined when a field is missing or of another type: then nothing may be decided.
 */
export function chargeStatus(trade: Readonly<Record<string, unknown>>): ChargeStatus | undefined {
  const outTradeNo = text(trade['out_trade_no']);
  const state = chargeStates[text(trade['trade_state']) ?? ''] ?? 'unknown';
  if (!outTradeNo) return undefined;
  const base = {
    outTradeNo,
    state,
    merchantId: text(trade['mchid']),
    appId: text(trade['appid']),
  };
  if (state !== 'paid' && state !== 'refunded') return base;
  const amount = trade['amount'] as Record<string, unknown> | undefined;
  const total = amount?.['total'];
  const providerId = text(trade['transaction_id']);
  if (!Number.isSafeInteger(total) || !providerId || amount?.['currency'] !== 'CNY')
    return undefined;
  const paidAtMs = Date.parse(text(trade['success_time']) ?? '');
  return {
    ...base,
    providerId,
    amountMinor: total as number,
    currency: 'CNY',
    ...(Number.isNaN(paidAtMs) ? {} : { paidAtMs }),
  };
}

/** A refund as answers carry it (`status`); notifications say `refund_status`. */
export function refundStatus(refund: Readonly<Record<string, unknown>>): RefundStatus | undefined {
  const outRefundNo = text(refund['out_refund_no']);
  if (!outRefundNo) return undefined;
  const amount = refund['amount'] as Record<string, unknown> | undefined;
  const refundMinor = amount?.['refund'];
  return {
    outRefundNo,
    state: refundStates[text(refund['status']) ?? ''] ?? 'unknown',
    ...(Number.isSafeInteger(refundMinor) ? { refundMinor: refundMinor as number } : {}),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
