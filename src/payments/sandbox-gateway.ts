import { BillNotReady, GatewayRefused } from '../studio/errors/money.js';
import type { Clock } from '../studio/ports/basics.js';
import type {
  BillLine,
  ChargeState,
  ChargeStatus,
  GatewayId,
  PaymentGateway,
  RawNotification,
  RefundRequest,
  RefundStatus,
} from '../studio/ports/gateway.js';
import { createSandboxBook, type SandboxTradeRecord } from './sandbox-book.js';
import { openSandboxNotification, signSandboxNotification } from './sandbox-notification.js';
import { toShanghaiTime } from './shanghai-time.js';

/** Where pretended trades are kept and shown. */
export interface SandboxConfig {
  /** Folder of the trades. */
  readonly dir: string;
  /** Signs notifications; random, this installation's own. */
  readonly notifyKey: string;
  /** Origin of our own pages; asked when a code is made, since a free port is known late. */
  readonly baseUrl: () => string;
}

/** What the customer does at a till that takes no money. */
export interface SandboxGateway extends PaymentGateway {
  tradeOf(qr: string): string | undefined;
  look(outTradeNo: string): Promise<{ amountFen: number; state: TradeState } | undefined>;
  /** Pay. @throws {GatewayRefused} when it is closed or was never opened. */
  pay(outTradeNo: string): Promise<RawNotification>;
}

type TradeState = 'open' | 'paid' | 'closed' | 'refunded';
const merchantId = 'sandbox';
const appId = 'sandbox';

/**
 * A payment provider that takes no money, so that everything around a payment can be tried: codes,
 * notifications, refunds, bills. Obeys the same contract as the real ones.
 */
export function createSandboxGateway(
  deps: { clock: Clock },
  config: SandboxConfig,
): SandboxGateway {
  const { clock } = deps;
  const book = createSandboxBook(config.dir);
  const query = async (outTradeNo: string) =>
    statusOf(outTradeNo, await book.read(outTradeNo), clock);

  return {
    id: 'sandbox',
    currency: 'CNY',
    merchantId,
    appId,
    async createCharge({ outTradeNo, amountMinor, currency, subject, expiresAtMs }) {
      if (currency !== 'CNY') throw refused('CURRENCY', 'takes CNY only');
      const opened = { kind: 'opened', atMs: clock.now(), subject, expiresAtMs } as const;
      const before = await book.read(outTradeNo);
      const trade =
        before ?? (await book.append(outTradeNo, { ...opened, amountFen: amountMinor }));
      if (trade?.amountFen !== amountMinor || trade.subject !== subject) {
        throw refused('PARAMETERS_DIFFER', `${outTradeNo} was opened with other values`);
      }
      return { qr: `${config.baseUrl()}/sandbox/${outTradeNo}` };
    },
    queryCharge: query,
    async closeCharge(outTradeNo) {
      const trade = await book.read(outTradeNo);
      if (trade) await book.append(outTradeNo, { kind: 'closed', atMs: clock.now() });
      return query(outTradeNo);
    },
    async refund(request) {
      const trade = await book.read(request.outTradeNo);
      if (trade?.paidAtMs === undefined) throw refused('NOT_PAID', 'nothing to refund');
      const after = trade.refunds.has(request.outRefundNo)
        ? trade
        : await book.append(request.outTradeNo, {
            kind: 'refunded',
            atMs: clock.now(),
            outRefundNo: request.outRefundNo,
            refundFen: request.refundMinor,
          });
      const status = refundOf(request, after);
      if (status.state === 'absent') throw refused('TOO_MUCH', 'refunds exceed what was paid');
      if (status.refundMinor !== request.refundMinor) {
        throw refused('PARAMETERS_DIFFER', 'this refund number had another amount');
      }
      return status;
    },
    queryRefund: async (request) => refundOf(request, await book.read(request.outTradeNo)),
    async downloadBill(date) {
      if (date > toShanghaiTime(clock.now()).slice(0, 10)) throw new BillNotReady('sandbox', date);
      return (await book.all()).flatMap((trade) => billLines(trade, date));
    },
    openNotification: async (raw) => openSandboxNotification(raw, config.notifyKey, clock),
    notificationReply: (outcome) => ({
      status: { accepted: 200, rejected: 400, tryAgain: 503 }[outcome],
      contentType: 'text/plain; charset=utf-8',
      body: outcome === 'accepted' ? 'success' : 'failure',
    }),
    tradeOf: (qr) => /\/sandbox\/([A-Za-z0-9_]{6,32})$/.exec(qr)?.[1],
    async look(outTradeNo) {
      const trade = await book.read(outTradeNo);
      return trade && { amountFen: trade.amountFen, state: stateOf(trade, clock) };
    },
    async pay(outTradeNo) {
      const trade = await book.read(outTradeNo);
      if (!trade) throw refused('ABSENT', 'no such trade');
      // Too late to pay, as at a real till; paying twice changes nothing.
      if (stateOf(trade, clock) === 'open') {
        await book.append(outTradeNo, { kind: 'paid', atMs: clock.now() });
      }
      const charge = await query(outTradeNo);
      if (charge.state === 'closed') throw refused('CLOSED', 'this payment is closed');
      return signSandboxNotification(charge, config.notifyKey, clock);
    },
  };
}

/**
 * Whether the sandbox may be offered: alone yes, beside a real gateway only when the operator names
 * it, or everybody would get HD for free on a live shop.
 * @param config.named the operator listed `sandbox` among the gateways.
 * @returns `reason` for the log at start, as a message key with its values.
 */
export function sandboxAllowed(config: {
  readonly realGateways: readonly GatewayId[];
  readonly named: boolean;
}): {
  allowed: boolean;
  reason: { messageKey: string; params: Record<string, string> };
} {
  const params = { gateways: config.realGateways.join(', ') };
  if (config.realGateways.length === 0) {
    return { allowed: true, reason: { messageKey: 'payments.sandbox.onAlone', params } };
  }
  return config.named
    ? { allowed: true, reason: { messageKey: 'payments.sandbox.onNamed', params } }
    : { allowed: false, reason: { messageKey: 'payments.sandbox.off', params } };
}

function refused(code: string, reason: string): GatewayRefused {
  return new GatewayRefused('sandbox', code, reason);
}

function stateOf(trade: SandboxTradeRecord, clock: Clock): TradeState {
  if (trade.paidAtMs !== undefined) {
    const refunded = [...trade.refunds.values()].reduce((sum, one) => sum + one.refundFen, 0);
    return refunded >= trade.amountFen ? 'refunded' : 'paid';
  }
  return trade.closedAtMs !== undefined || clock.now() > trade.expiresAtMs ? 'closed' : 'open';
}

function statusOf(
  outTradeNo: string,
  trade: SandboxTradeRecord | undefined,
  clock: Clock,
): ChargeStatus {
  if (!trade) return { outTradeNo, state: 'absent' };
  const state: ChargeState = stateOf(trade, clock);
  if (trade.paidAtMs === undefined) return { outTradeNo, state };
  const { providerId, amountFen: amountMinor, paidAtMs } = trade;
  return {
    outTradeNo,
    state,
    providerId,
    amountMinor,
    currency: 'CNY',
    merchantId,
    appId,
    paidAtMs,
  };
}

function refundOf(request: RefundRequest, trade: SandboxTradeRecord | undefined): RefundStatus {
  const { outRefundNo } = request;
  const refund = trade?.refunds.get(outRefundNo);
  return refund
    ? { outRefundNo, state: 'succeeded', refundMinor: refund.refundFen }
    : { outRefundNo, state: 'absent' };
}

function billLines(trade: SandboxTradeRecord, date: string): BillLine[] {
  const { outTradeNo, providerId } = trade;
  const shared = { outTradeNo, providerId, currency: 'CNY' } as const;
  const lines: BillLine[] = [];
  if (trade.paidAtMs !== undefined) {
    lines.push({ ...shared, kind: 'charge', amountMinor: trade.amountFen, atMs: trade.paidAtMs });
  }
  for (const [outRefundNo, { refundFen, atMs }] of trade.refunds) {
    lines.push({ ...shared, kind: 'refund', outRefundNo, amountMinor: refundFen, atMs });
  }
  return lines.filter((line) => toShanghaiTime(line.atMs).startsWith(date));
}
