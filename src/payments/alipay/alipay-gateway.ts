import { BillNotReady, GatewayUnknown } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import type {
  ChargeRequest,
  ChargeStatus,
  PaymentGateway,
  RefundRequest,
  RefundStatus,
} from '../../studio/ports/gateway.js';
import { fetchBytes } from '../fetch-bytes.js';
import { fenToYuan, yuanToFen } from '../money.js';
import { fromShanghaiTime, toShanghaiTime } from '../shanghai-time.js';
import { readAlipayBill } from './alipay-bill.js';
import {
  type AlipayAnswer,
  type AlipayClient,
  type AlipayConfig,
  createAlipayClient,
} from './alipay-client.js';
import { openAlipayNotification } from './alipay-notification.js';
import { tradeState } from './alipay-trade.js';

/** Constant texts: they are part of signed strings, so no customer's words may enter them. */
const refundReason = 'refund';
/** Bills appear the next morning, by 10:00 China time at the latest. */
const billDelayMs = (24 + 10) * 3_600_000;

/** Who asks: every call needs these. */
interface Merchant {
  readonly client: AlipayClient;
  readonly config: AlipayConfig;
  readonly clock: Clock;
}

/**
 * Alipay face-to-face payment (precreate): a QR code that also opens the app on the same phone.
 * @see https://opendocs.alipay.com/open/02ekfg
 */
export function createAlipayGateway(deps: { clock: Clock }, config: AlipayConfig): PaymentGateway {
  const merchant: Merchant = {
    client: createAlipayClient(deps, config),
    config,
    clock: deps.clock,
  };
  return {
    id: 'alipay',
    currency: 'CNY',
    merchantId: config.sellerId,
    appId: config.appId,
    createCharge: (request) => createCharge(merchant, request),
    queryCharge: (outTradeNo) => queryCharge(merchant, outTradeNo),
    closeCharge: (outTradeNo) => closeCharge(merchant, outTradeNo),
    refund: (request) => refund(merchant, request),
    queryRefund: (request) => queryRefund(merchant, request),
    downloadBill: (date) => downloadBill(merchant, date),
    openNotification: async (raw) =>
      openAlipayNotification(merchant.client.sdk, raw.body, {
        appId: config.appId,
        sellerId: config.sellerId,
        nowMs: deps.clock.now(),
      }),
    notificationReply(outcome) {
      const ok = outcome === 'accepted';
      return {
        status: ok ? 200 : outcome === 'rejected' ? 400 : 503,
        contentType: 'text/plain',
        body: ok ? 'success' : 'fail',
      };
    },
  };
}

async function createCharge({ client, config }: Merchant, request: ChargeRequest) {
  const answer = await client.call(
    'alipay.trade.precreate',
    {
      out_trade_no: request.outTradeNo,
      total_amount: fenToYuan(request.amountMinor),
      subject: request.subject,
      seller_id: config.sellerId,
      time_expire: toShanghaiTime(request.expiresAtMs),
    },
    { notifyUrl: config.notifyUrl, expectedSubCodes: ['ACQ.TRADE_HAS_SUCCESS'] },
  );
  // Our first call went through and was paid before its answer came: not a no.
  if (answer.code !== '10000') throw new GatewayUnknown('alipay', 'precreate: paid already');
  mustBeAbout(answer, request.outTradeNo);
  const qr = String(answer['qr_code'] ?? '');
  if (!qr) throw new GatewayUnknown('alipay', 'precreate: no QR code');
  return { qr, appUrl: appLink(qr) };
}

async function queryCharge(
  { client, config }: Merchant,
  outTradeNo: string,
): Promise<ChargeStatus> {
  const answer = await client.call(
    'alipay.trade.query',
    { out_trade_no: outTradeNo },
    { expectedSubCodes: ['ACQ.TRADE_NOT_EXIST'] },
  );
  if (answer.code !== '10000') return { outTradeNo, state: 'absent' };
  mustBeAbout(answer, outTradeNo);
  const state = tradeState(answer['trade_status'], answer['send_pay_date']);
  const amountMinor = yuanToFen(answer['total_amount']);
  if (amountMinor === undefined) throw new GatewayUnknown('alipay', 'query: amount is malformed');
  return {
    outTradeNo,
    state,
    providerId: String(answer['trade_no'] ?? ''),
    amountMinor,
    currency: 'CNY',
    // The query's answer names no seller: its signature is bound to our app and key.
    merchantId: config.sellerId,
    appId: config.appId,
    paidAtMs: fromShanghaiTime(answer['send_pay_date'] as string | undefined),
  };
}

async function closeCharge(merchant: Merchant, outTradeNo: string): Promise<ChargeStatus> {
  const answer = await merchant.client.call(
    'alipay.trade.close',
    { out_trade_no: outTradeNo },
    {
      expectedSubCodes: [
        'ACQ.TRADE_NOT_EXIST',
        'ACQ.TRADE_STATUS_ERROR',
        'ACQ.REASON_TRADE_STATUS_INVALID',
        'ACQ.REASON_ILLEGAL_STATUS',
      ],
    },
  );
  // Not closable, or closed just now: the query has the last word either way.
  if (answer.sub_code === 'ACQ.TRADE_NOT_EXIST') return { outTradeNo, state: 'absent' };
  return queryCharge(merchant, outTradeNo);
}

async function refund(merchant: Merchant, request: RefundRequest): Promise<RefundStatus> {
  const answer = await merchant.client.call(
    'alipay.trade.refund',
    {
      out_trade_no: request.outTradeNo,
      refund_amount: fenToYuan(request.refundMinor),
      out_request_no: request.outRefundNo,
      refund_reason: refundReason,
    },
    { expectedSubCodes: ['ACQ.SELLER_BALANCE_NOT_ENOUGH'] },
  );
  const { outRefundNo, refundMinor } = request;
  if (answer.code !== '10000') return { outRefundNo, state: 'abnormal' };
  mustBeAbout(answer, request.outTradeNo);
  if (answer['fund_change'] === 'Y') return { outRefundNo, state: 'succeeded', refundMinor };
  // No money moved by this call: an earlier try may have. Its own record decides.
  return queryRefund(merchant, request);
}

async function queryRefund({ client }: Merchant, request: RefundRequest): Promise<RefundStatus> {
  const answer = await client.call(
    'alipay.trade.fastpay.refund.query',
    { out_trade_no: request.outTradeNo, out_request_no: request.outRefundNo },
    { expectedSubCodes: ['ACQ.TRADE_NOT_EXIST', 'TRADE_NOT_EXIST'] },
  );
  const { outRefundNo } = request;
  if (answer.code !== '10000' || !answer['refund_amount']) return { outRefundNo, state: 'absent' };
  mustBeAbout(answer, request.outTradeNo);
  if (answer['out_request_no'] !== outRefundNo)
    throw new GatewayUnknown('alipay', 'refund query answers about another refund');
  // Absent status means success for refunds made before the field existed (Alipay's words).
  const done = (answer['refund_status'] ?? 'REFUND_SUCCESS') === 'REFUND_SUCCESS';
  return {
    outRefundNo,
    state: done ? 'succeeded' : 'processing',
    refundMinor: yuanToFen(answer['refund_amount']),
  };
}

async function downloadBill({ client, config, clock }: Merchant, date: string) {
  const answer = await client.call(
    'alipay.data.dataservice.bill.downloadurl.query',
    { bill_type: 'trade', bill_date: date },
    { expectedSubCodes: ['isp.bill_not_exist', 'isv.bill_not_exist'] },
  );
  if (answer.code !== '10000') {
    // A day without trades never gets a bill; before it is due, nobody can tell.
    const dueMs = (fromShanghaiTime(`${date} 00:00:00`) ?? 0) + billDelayMs;
    if (clock.now() > dueMs) return [];
    throw new BillNotReady('alipay', date);
  }
  const url = String(answer['bill_download_url'] ?? '');
  return readAlipayBill(await fetchBytes('alipay', url, { timeoutMs: config.timeoutMs }));
}

/** Opens the Alipay app on the phone that shows the page. */
function appLink(qr: string): string {
  return `alipays://platformapi/startapp?saId=10000007&qrcode=${encodeURIComponent(qr)}`;
}

/** A signed answer about another trade (replayed, mixed up) must not decide about this one. */
function mustBeAbout(answer: AlipayAnswer, outTradeNo: string): void {
  if (answer['out_trade_no'] !== outTradeNo)
    throw new GatewayUnknown('alipay', 'the answer is about another trade');
}
