import type { ChargeState } from '../../studio/ports/gateway.js';

/**
 * Alipay's trade_status. TRADE_CLOSED means "timed out" or "fully refunded": only a trade that
 * was paid once has a payment time.
 */
export function tradeState(status: unknown, paymentTime: unknown): ChargeState {
  switch (status) {
    case 'WAIT_BUYER_PAY':
      return 'open';
    case 'TRADE_SUCCESS':
    case 'TRADE_FINISHED':
      return 'paid';
    case 'TRADE_CLOSED':
      return paymentTime ? 'refunded' : 'closed';
    default:
      return 'unknown';
  }
}
