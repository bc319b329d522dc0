import { GatewayRefused, GatewayUnknown } from '../../src/studio/errors/index.js';
import type { Clock } from '../../src/studio/ports/basics.js';
import type {
  ChargeState,
  ChargeStatus,
  PaymentGateway,
  RefundState,
} from '../../src/studio/ports/gateway.js';

export interface Trade {
  amountMinor: number;
  subject: string;
  state: ChargeState;
  providerId?: string;
  paidMinor?: number;
  paidAtMs?: number;
  refunds: Map<string, { refundMinor: number; state: RefundState }>;
}

type Method = 'createCharge' | 'queryCharge' | 'closeCharge' | 'refund' | 'queryRefund';
/** `lost`: never arrived. `unheard`: done, but the answer got lost. `refused`: a verified no. */
export type BankFault = 'lost' | 'unheard' | 'refused';

/** The other side of a payment, in this process: a bank with a memory and with bad days. */
export function createBank({ clock }: { clock: Clock }) {
  const trades = new Map<string, Trade>();
  const faults: { method: Method; fault: BankFault }[] = [];
  const calls: string[] = [];
  let providerIds = 0;
  /** What the next refunds become. */
  let refundState: RefundState = 'succeeded';
  /** Runs just before a method answers, e.g. to let the customer pay in between. */
  const before = new Map<Method, () => void>();

  async function call<T>(method: Method, outTradeNo: string, work: () => T): Promise<T> {
    calls.push(`${method} ${outTradeNo}`);
    before.get(method)?.();
    const index = faults.findIndex((one) => one.method === method);
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
    if (fault === 'lost') throw new GatewayUnknown('alipay', 'no answer');
    if (fault === 'refused') throw new GatewayRefused('alipay', 'NO', 'no');
    const answer = work();
    if (fault === 'unheard') throw new GatewayUnknown('alipay', 'no answer');
    return answer;
  }

  function status(outTradeNo: string): ChargeStatus {
    const trade = trades.get(outTradeNo);
    if (!trade) return { outTradeNo, state: 'absent' };
    const { state, providerId, paidMinor, paidAtMs } = trade;
    if (state !== 'paid' && state !== 'refunded') return { outTradeNo, state };
    return {
      ...{ outTradeNo, state, providerId, amountMinor: paidMinor, paidAtMs },
      ...{ currency: 'CNY' as const, merchantId: 'merchant', appId: 'app' },
    };
  }

  const gateway: PaymentGateway = {
    id: 'alipay',
    currency: 'CNY',
    merchantId: 'merchant',
    appId: 'app',
    createCharge: ({ outTradeNo, amountMinor, subject }) =>
      call('createCharge', outTradeNo, () => {
        const known = trades.get(outTradeNo);
        if (known && (known.amountMinor !== amountMinor || known.subject !== subject)) {
          throw new GatewayRefused('alipay', 'PARAMETERS', 'same number, other parameters');
        }
        if (!known) {
          trades.set(outTradeNo, { amountMinor, subject, state: 'open', refunds: new Map() });
        }
        return { qr: `https://qr.example/${outTradeNo}` };
      }),
    queryCharge: (outTradeNo) => call('queryCharge', outTradeNo, () => status(outTradeNo)),
    closeCharge: (outTradeNo) =>
      call('closeCharge', outTradeNo, () => {
        const trade = trades.get(outTradeNo);
        if (trade?.state === 'open') trade.state = 'closed';
        return status(outTradeNo);
      }),
    refund: ({ outRefundNo, outTradeNo, refundMinor }) =>
      call('refund', outTradeNo, () => {
        const trade = trades.get(outTradeNo);
        if (!trade?.paidMinor) throw new GatewayRefused('alipay', 'UNPAID', 'nothing to refund');
        const known = trade.refunds.get(outRefundNo);
        if (known) return { outRefundNo, state: known.state, refundMinor: known.refundMinor };
        const sum = [...trade.refunds.values()]
          .filter((one) => one.state !== 'closed')
          .reduce((total, one) => total + one.refundMinor, 0);
        if (sum + refundMinor > trade.paidMinor) {
          throw new GatewayRefused('alipay', 'TOO_MUCH', 'more than was paid');
        }
        trade.refunds.set(outRefundNo, { refundMinor, state: refundState });
        return { outRefundNo, state: refundState, refundMinor };
      }),
    queryRefund: ({ outRefundNo, outTradeNo }) =>
      call('queryRefund', outTradeNo, () => {
        const known = trades.get(outTradeNo)?.refunds.get(outRefundNo);
        return known ? { outRefundNo, ...known } : { outRefundNo, state: 'absent' as const };
      }),
    downloadBill: async () => [],
    openNotification: async ({ body }) => JSON.parse(Buffer.from(body).toString()),
    notificationReply: () => ({ status: 200, contentType: 'text/plain', body: 'success' }),
  };

  return {
    ...{ gateway, trades, faults, calls, before },
    status,
    refundsBecome: (state: RefundState) => {
      refundState = state;
    },
    /** The customer pays, even a closed trade: some arrive late. */
    pay: (outTradeNo: string, amountMinor?: number) => {
      const trade = trades.get(outTradeNo);
      if (!trade) throw new Error(`no trade ${outTradeNo}`);
      if (trade.paidMinor !== undefined) return;
      providerIds += 1;
      trade.state = 'paid';
      trade.paidMinor = amountMinor ?? trade.amountMinor;
      trade.providerId = `bank-${providerIds}`;
      trade.paidAtMs = clock.now();
    },
    notification: (outTradeNo: string, changes: Partial<ChargeStatus> = {}, key = outTradeNo) => ({
      headers: {},
      body: Buffer.from(
        JSON.stringify({ key, kind: 'charge', charge: { ...status(outTradeNo), ...changes } }),
      ),
    }),
    /** Money that stayed here. */
    takenMinor: () =>
      [...trades.values()].reduce((sum, { paidMinor = 0, refunds }) => {
        const back = [...refunds.values()].filter((one) => one.state === 'succeeded');
        return sum + paidMinor - back.reduce((total, one) => total + one.refundMinor, 0);
      }, 0),
  };
}
