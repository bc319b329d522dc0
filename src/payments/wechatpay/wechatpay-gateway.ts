import type { KeyObject } from 'node:crypto';
import WxPay from 'wechatpay-node-v3';
import { BillNotReady, GatewayRefused, GatewayUnknown } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import type {
  ChargeRequest,
  ChargeStatus,
  PaymentGateway,
  RefundRequest,
  RefundStatus,
} from '../../studio/ports/gateway.js';
import { fromShanghaiTime, toShanghaiRfc3339 } from '../shanghai-time.js';
import { mustMatchHash, readWechatpayBill } from './wechatpay-bill.js';
import type { WechatpayConfig } from './wechatpay-config.js';
import { createWechatpayKeys, type SealedCertificate } from './wechatpay-keys.js';
import { openWechatpayNotification } from './wechatpay-notification.js';
import { chargeStatus, refundStatus } from './wechatpay-trade.js';
import { createWechatpayTransport, type WechatpayAnswer } from './wechatpay-transport.js';

/** WeChat Pay insists on an https address; without a public one, polling settles every order. */
const nowhere = 'https://huancai.invalid/notify/wechatpay';
/** Bills appear the next day after 10:00 China time. */
const billDelayMs = (24 + 10) * 3_600_000;

type Body = Readonly<Record<string, unknown>>;

/**
 * WeChat Pay v3, Native (QR). The SDK builds and signs the requests; transport, verification and
 * notifications are ours (see wechatpay-transport.ts).
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791874
 */
export function createWechatpayGateway(
  deps: { clock: Clock },
  config: WechatpayConfig,
): PaymentGateway {
  const pay = new WxPay({
    appid: config.appId,
    mchid: config.mchId,
    serial_no: config.serial,
    publicKey: Buffer.from(config.certificate),
    privateKey: Buffer.from(config.privateKey),
    key: config.apiV3Key,
  });
  const keys = createWechatpayKeys({ clock: deps.clock, download: downloadCertificates }, config);
  const transport = createWechatpayTransport({ clock: deps.clock, keys: () => keys }, config);
  pay.createHttp(transport as unknown as Parameters<typeof pay.createHttp>[0]);

  async function downloadCertificates(): Promise<Map<string, KeyObject>> {
    const path = '/v3/certificates';
    const timestamp = String(Math.floor(deps.clock.now() / 1000));
    const nonce = crypto.randomUUID().replaceAll('-', '');
    const signature = pay.getSignature('GET', nonce, timestamp, path);
    const answer = await transport.get(`https://api.mch.weixin.qq.com${path}`, {
      Accept: 'application/json',
      Authorization: pay.getAuthorization(nonce, timestamp, signature),
      'User-Agent': 'huancai',
    });
    const list = body(answer, 'certificates')['data'];
    return keys.open(list as readonly SealedCertificate[]);
  }

  return {
    id: 'wechatpay',
    currency: 'CNY',
    merchantId: config.mchId,
    appId: config.appId,
    createCharge: (request) => createCharge(pay, config, request),
    queryCharge: (outTradeNo) => queryCharge(pay, outTradeNo),
    closeCharge: (outTradeNo) => closeCharge(pay, outTradeNo),
    refund: (request) => refund(pay, request),
    queryRefund: (request) => queryRefund(pay, request),
    downloadBill: (date) => downloadBill(pay, deps.clock, date),
    openNotification: (raw) => openWechatpayNotification(raw, keys, config, deps.clock.now()),
    notificationReply,
  };
}

async function createCharge(pay: WxPay, config: WechatpayConfig, request: ChargeRequest) {
  const answer = (await pay.transactions_native({
    description: request.subject,
    out_trade_no: request.outTradeNo,
    time_expire: toShanghaiRfc3339(request.expiresAtMs),
    notify_url: config.notifyUrl ?? nowhere,
    amount: { total: request.amountMinor, currency: 'CNY' },
  })) as WechatpayAnswer;
  // Our first call went through and was paid before its answer came: not a no.
  if (['ORDERPAID', 'ORDER_PAID'].includes(errorCode(answer)))
    throw new GatewayUnknown('wechatpay', 'native: paid already');
  const qr = body(answer, 'native')['code_url'];
  if (typeof qr !== 'string') throw new GatewayUnknown('wechatpay', 'native: no code_url');
  return { qr };
}

async function queryCharge(pay: WxPay, outTradeNo: string): Promise<ChargeStatus> {
  const answer = (await pay.query({ out_trade_no: outTradeNo })) as WechatpayAnswer;
  if (answer.status === 404) return { outTradeNo, state: 'absent' };
  const trade = body(answer, 'query');
  const status = chargeStatus(trade);
  if (!status || status.outTradeNo !== outTradeNo)
    throw new GatewayUnknown('wechatpay', 'query: the answer is about another trade');
  return status;
}

async function closeCharge(pay: WxPay, outTradeNo: string): Promise<ChargeStatus> {
  const answer = (await pay.close(outTradeNo)) as WechatpayAnswer;
  const code = errorCode(answer);
  if (answer.status >= 300 && !['ORDERPAID', 'ORDER_PAID', 'ORDER_CLOSED'].includes(code)) {
    if (answer.status === 404) return { outTradeNo, state: 'absent' };
    body(answer, 'close');
  }
  // Closed, or paid a moment before: the query has the last word.
  return queryCharge(pay, outTradeNo);
}

async function refund(pay: WxPay, request: RefundRequest): Promise<RefundStatus> {
  const answer = (await pay.refunds({
    transaction_id: request.providerId,
    out_refund_no: request.outRefundNo,
    amount: {
      refund: request.refundMinor,
      total: request.totalMinor,
      currency: 'CNY',
    },
  })) as unknown as WechatpayAnswer;
  if (errorCode(answer) === 'NOT_ENOUGH')
    return { outRefundNo: request.outRefundNo, state: 'abnormal' };
  return aboutRefund(body(answer, 'refund'), request);
}

async function queryRefund(pay: WxPay, request: RefundRequest): Promise<RefundStatus> {
  const answer = (await pay.find_refunds(request.outRefundNo)) as unknown as WechatpayAnswer;
  if (answer.status === 404) return { outRefundNo: request.outRefundNo, state: 'absent' };
  return aboutRefund(body(answer, 'refund query'), request);
}

async function downloadBill(pay: WxPay, clock: Clock, date: string) {
  const answer = (await pay.tradebill({
    bill_date: date,
    bill_type: 'ALL',
  })) as WechatpayAnswer;
  const code = errorCode(answer);
  if (code === 'NO_STATEMENT_EXIST' || code === 'STATEMENT_CREATING') {
    const dueMs = (fromShanghaiTime(`${date} 00:00:00`) ?? 0) + billDelayMs;
    // A day without trades has no bill; before it is due, nobody can tell.
    if (code === 'NO_STATEMENT_EXIST' && clock.now() > dueMs) return [];
    throw new BillNotReady('wechatpay', date);
  }
  const named = body(answer, 'tradebill');
  const file = (await pay.downloadBill(String(named['download_url']))) as WechatpayAnswer;
  if (!Buffer.isBuffer(file.data)) throw new GatewayUnknown('wechatpay', 'bill: no file');
  mustMatchHash(file.data, named['hash_value']);
  return readWechatpayBill(file.data);
}

/** What WeChat Pay wants to hear: nothing when all is well. */
function notificationReply(outcome: 'accepted' | 'rejected' | 'tryAgain') {
  if (outcome === 'accepted') return { status: 204, contentType: 'application/json', body: '' };
  return {
    status: outcome === 'rejected' ? 401 : 503,
    contentType: 'application/json',
    body: JSON.stringify({ code: 'FAIL', message: outcome }),
  };
}

/** The verified JSON of a good answer. @throws {GatewayUnknown | GatewayRefused} */
function body(answer: WechatpayAnswer, what: string): Body {
  const { status, data } = answer;
  if (status >= 200 && status < 300 && typeof data === 'object' && data !== null)
    return data as Body;
  if (status === 429 || status >= 500 || status < 400)
    throw new GatewayUnknown('wechatpay', `${what}: HTTP ${status}`);
  throw new GatewayRefused('wechatpay', errorCode(answer) || `HTTP_${status}`, what);
}

function errorCode(answer: WechatpayAnswer): string {
  const code = (answer.data as { code?: unknown } | undefined)?.code;
  return answer.status >= 400 && typeof code === 'string' ? code : '';
}

function aboutRefund(refund: Body, request: RefundRequest): RefundStatus {
  const status = refundStatus(refund);
  if (!status || status.outRefundNo !== request.outRefundNo)
    throw new GatewayUnknown('wechatpay', 'the answer is about another refund');
  return status;
}
