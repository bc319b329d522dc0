import { createSign, createVerify, randomBytes } from 'node:crypto';
import { fenToYuan, yuanToFen } from '../../src/payments/money.js';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import { alipayBillZip } from './alipay-bill.js';
import { type Fault, type FaultPlan, noFaults } from './faults.js';
import {
  type EmulatorReply,
  type EmulatorRequest,
  type EmulatorServer,
  startServer,
} from './http.js';
import type { RsaPair } from './keys.js';
import { Notifier, type NotifierOptions } from './notifier.js';

export interface AlipayTrade {
  readonly outTradeNo: string;
  readonly amountFen: number;
  readonly subject: string;
  readonly expiresAtMs: number;
  readonly notifyUrl?: string;
  readonly qr: string;
  tradeNo?: string;
  /** undefined until the customer scans: precreate creates no trade. */
  status?: 'WAIT_BUYER_PAY' | 'TRADE_SUCCESS' | 'TRADE_CLOSED';
  paidAtMs?: number;
  /** What really moved, where it is not what was asked for. */
  paidFen?: number;
  readonly refunds: Map<string, { fen: number; atMs: number }>;
}

export interface AlipayEmulatorOptions {
  readonly appId: string;
  readonly sellerId: string;
  /** Verifies the merchant's requests. */
  readonly appPublicKey: string;
  /** Signs what Alipay says. */
  readonly keys: RsaPair;
  readonly now?: () => number;
  readonly faults?: FaultPlan;
  readonly notifier?: NotifierOptions;
  readonly port?: number;
  /** Certificate mode: answers name the certificate they are signed with. */
  readonly alipayCertSn?: string;
}

type Answer = Record<string, unknown>;

/** Alipay's open gateway as far as a face-to-face merchant uses it. */
export class AlipayEmulator {
  readonly trades = new Map<string, AlipayTrade>();
  readonly notifier: Notifier;
  /** Calls whose signature was verified, in order. */
  readonly calls: string[] = [];
  faults: FaultPlan;
  /** Refunds are accepted and move nothing, as Alipay says by `fund_change`. */
  refundsIdle = false;
  /** Differences planted into the bill, for reconciliation. */
  billEdits: (lines: string[]) => string[] = (lines) => lines;
  /** Days whose bill is not made yet, or never will be. */
  readonly missingBills = new Set<string>();
  private server!: EmulatorServer;
  private readonly bills = new Map<string, Buffer>();

  private constructor(private readonly options: AlipayEmulatorOptions) {
    this.faults = options.faults ?? noFaults;
    this.notifier = new Notifier(
      options.notifier ?? { retryMs: [20, 40, 80], fate: () => 'deliver' },
    );
  }

  static async start(options: AlipayEmulatorOptions): Promise<AlipayEmulator> {
    const emulator = new AlipayEmulator(options);
    emulator.server = await startServer((request) => emulator.handle(request), options.port);
    return emulator;
  }

  get url(): string {
    return this.server.url;
  }

  get gatewayUrl(): string {
    return `${this.server.url}/gateway.do`;
  }

  async close(): Promise<void> {
    await this.notifier.close();
    await this.server.close();
  }

  /** A crash: connections break and nobody answers for a while. What is known stays known. */
  async crash(downMs: number): Promise<void> {
    const port = Number(new URL(this.url).port);
    await this.server.close();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    this.server = await startServer((request) => this.handle(request), port);
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }

  /** The customer points the camera at the code: only now a trade exists. */
  scan(outTradeNo: string): AlipayTrade {
    const trade = this.trades.get(outTradeNo);
    if (!trade) throw new Error(`no such code: ${outTradeNo}`);
    if (!trade.status && this.now() < trade.expiresAtMs) {
      trade.status = 'WAIT_BUYER_PAY';
      trade.tradeNo = `20261122220014${randomBytes(6).readUIntBE(0, 6).toString().padStart(15, '0')}`;
    }
    return trade;
  }

  /** The customer pays. @returns whether the money moved. */
  pay(
    outTradeNo: string,
    options: { evenIfClosed?: boolean; notify?: boolean; fen?: number } = {},
  ): boolean {
    const trade = this.scan(outTradeNo);
    const open = trade.status === 'WAIT_BUYER_PAY' && this.now() < trade.expiresAtMs;
    if (trade.status === 'TRADE_SUCCESS' || (!open && !options.evenIfClosed)) return false;
    trade.tradeNo ??= `2026112222001499${randomBytes(5).readUIntBE(0, 5).toString().padStart(13, '0')}`;
    trade.status = 'TRADE_SUCCESS';
    trade.paidAtMs = this.now();
    trade.paidFen = options.fen;
    if (options.notify !== false) this.notify(trade);
    return true;
  }

  /** Send (again) the notification of a trade, with `edits` over its true fields. */
  notify(trade: AlipayTrade, edits: Record<string, string> = {}): void {
    const { notifyUrl } = trade;
    if (!notifyUrl) return;
    const id = randomBytes(17).toString('hex');
    this.notifier.send(() => ({
      url: notifyUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: this.notificationBody(trade, { notify_id: id, ...edits }),
      accepted: (status, body) => status === 200 && body === 'success',
    }));
  }

  /** Fields of a true notification, unsigned. */
  notificationFields(trade: AlipayTrade): Record<string, string> {
    return {
      app_id: this.options.appId,
      auth_app_id: this.options.appId,
      buyer_id: '2088000000000001',
      charset: 'utf-8',
      fund_bill_list: `[{"amount":"${fenToYuan(moved(trade))}","fundChannel":"ALIPAYACCOUNT"}]`,
      gmt_create: toShanghaiTime(trade.paidAtMs ?? this.now()),
      ...(trade.paidAtMs ? { gmt_payment: toShanghaiTime(trade.paidAtMs) } : {}),
      notify_id: randomBytes(17).toString('hex'),
      notify_time: toShanghaiTime(this.now()),
      notify_type: 'trade_status_sync',
      out_trade_no: trade.outTradeNo,
      seller_id: this.options.sellerId,
      subject: trade.subject,
      total_amount: fenToYuan(moved(trade)),
      trade_no: trade.tradeNo ?? '',
      trade_status: trade.status ?? 'WAIT_BUYER_PAY',
      version: '1.0',
    };
  }

  /** A signed form body. `edits` change fields before signing. */
  notificationBody(trade: AlipayTrade, edits: Record<string, string> = {}): string {
    return this.signForm({ ...this.notificationFields(trade), ...edits });
  }

  signForm(fields: Record<string, string>): string {
    const content = Object.keys(fields)
      .sort()
      .map((key) => `${key}=${fields[key]}`)
      .join('&');
    const sign = this.sign(content);
    return new URLSearchParams({ ...fields, sign, sign_type: 'RSA2' }).toString();
  }

  private sign(content: string): string {
    return createSign('RSA-SHA256')
      .update(content, 'utf8')
      .sign(this.options.keys.privatePkcs8, 'base64');
  }

  private async handle(request: EmulatorRequest): Promise<EmulatorReply> {
    if (request.path.startsWith('/bill/')) {
      const bill = this.bills.get(request.path);
      return bill ? { status: 200, body: bill } : { status: 404 };
    }
    if (request.path.startsWith('/qr/')) return this.payPage(request);
    if (request.path !== '/gateway.do' || request.method !== 'POST') return { status: 404 };
    const form = new URLSearchParams(request.body.toString('utf8'));
    const params: Record<string, string> = {};
    for (const [key, value] of [...request.query, ...form]) params[key] = value;
    const method = params['method'] ?? '';
    const refused = this.authenticate(params);
    if (refused) return this.answer(method, refused);
    const biz = JSON.parse(params['biz_content'] ?? '{}') as Record<string, string>;
    const outTradeNo = biz['out_trade_no'] ?? '';
    this.calls.push(method);
    return this.underFault(this.faults(method, outTradeNo), method, () =>
      this.perform(method, biz, params),
    );
  }

  private authenticate(params: Record<string, string>): Answer | undefined {
    const no = (subCode: string): Answer => ({
      code: '40002',
      msg: 'Invalid Arguments',
      sub_code: subCode,
    });
    if (params['app_id'] !== this.options.appId) return no('isv.invalid-app-id');
    if (params['sign_type'] !== 'RSA2') return no('isv.invalid-signature-type');
    const at = Date.parse(`${(params['timestamp'] ?? '').replace(' ', 'T')}+08:00`);
    if (!(Math.abs(at - this.now()) < 24 * 3_600_000)) return no('isv.invalid-timestamp');
    const { sign = '', ...signed } = params;
    const content = Object.keys(signed)
      .sort()
      .map((key) => `${key}=${signed[key]}`)
      .join('&');
    const good = createVerify('RSA-SHA256')
      .update(content, 'utf8')
      .verify(this.options.appPublicKey, sign, 'base64');
    return good ? undefined : no('isv.invalid-signature');
  }

  private underFault(
    fault: Fault | undefined,
    method: string,
    perform: () => Answer,
  ): EmulatorReply {
    switch (fault) {
      case 'lost':
        return { status: 0, reset: true };
      case 'html502':
        return { status: 502, body: '<html><body>502 Bad Gateway</body></html>' };
      case 'http500':
        return { status: 500, body: '' };
      case 'systemError':
        return this.answer(method, { code: '20000', msg: 'x', sub_code: 'isp.unknow-error' });
      default:
    }
    const reply = this.answer(method, perform());
    if (fault === 'replyLost') return { status: 0, reset: true };
    if (fault === 'slow') return { ...reply, delayMs: 1_500 };
    if (fault === 'unsigned')
      return { ...reply, body: String(reply.body).replace(/"sign":"[^"]*"/, '"x":""') };
    if (fault === 'forged')
      return { ...reply, body: String(reply.body).replace(/"code":"\d+"/, '"code":"10000 "') };
    return reply;
  }

  private answer(method: string, inner: Answer): EmulatorReply {
    const key = `${method.replaceAll('.', '_')}_response`;
    const raw = JSON.stringify(inner);
    const sn = this.options.alipayCertSn;
    const cert = sn ? `,"alipay_cert_sn":"${sn}"` : '';
    return {
      status: 200,
      headers: { 'content-type': 'text/html;charset=utf-8' },
      body: `{"${key}":${raw}${cert},"sign":"${this.sign(raw)}"}`,
    };
  }

  private perform(
    method: string,
    biz: Record<string, string>,
    params: Record<string, string>,
  ): Answer {
    switch (method) {
      case 'alipay.trade.precreate':
        return this.precreate(biz, params['notify_url']);
      case 'alipay.trade.query':
        return this.query(biz);
      case 'alipay.trade.close':
        return this.closeTrade(biz);
      case 'alipay.trade.refund':
        return this.refund(biz);
      case 'alipay.trade.fastpay.refund.query':
        return this.refundQuery(biz);
      case 'alipay.data.dataservice.bill.downloadurl.query':
        return this.bill(biz);
      default:
        return { code: '40002', msg: 'Invalid Arguments', sub_code: 'isv.invalid-method' };
    }
  }

  private precreate(biz: Record<string, string>, notifyUrl?: string): Answer {
    const outTradeNo = biz['out_trade_no'] ?? '';
    const amountFen = yuanToFen(biz['total_amount']);
    const expiresAtMs = Date.parse(`${(biz['time_expire'] ?? '').replace(' ', 'T')}+08:00`);
    if (!amountFen || !outTradeNo || !biz['subject'] || biz['seller_id'] !== this.options.sellerId)
      return business('ACQ.INVALID_PARAMETER');
    const before = this.trades.get(outTradeNo);
    if (before?.status === 'TRADE_SUCCESS') return business('ACQ.TRADE_HAS_SUCCESS');
    if (before && before.amountFen !== amountFen) return business('ACQ.CONTEXT_INCONSISTENT');
    const qr = before?.qr ?? `${this.url}/qr/${outTradeNo}`;
    if (!before)
      this.trades.set(outTradeNo, {
        outTradeNo,
        amountFen,
        subject: biz['subject'],
        expiresAtMs: Number.isNaN(expiresAtMs) ? this.now() + 7_200_000 : expiresAtMs,
        notifyUrl,
        qr,
        refunds: new Map(),
      });
    return success({ out_trade_no: outTradeNo, qr_code: qr });
  }

  /** What exists at Alipay: a code that nobody scanned is no trade. */
  private existing(biz: Record<string, string>): AlipayTrade | undefined {
    const trade = this.trades.get(biz['out_trade_no'] ?? '');
    if (trade?.status === 'WAIT_BUYER_PAY' && this.now() >= trade.expiresAtMs)
      trade.status = 'TRADE_CLOSED';
    return trade?.status ? trade : undefined;
  }

  private query(biz: Record<string, string>): Answer {
    const trade = this.existing(biz);
    if (!trade) return business('ACQ.TRADE_NOT_EXIST');
    const refunded = sum(trade);
    const closed = trade.status === 'TRADE_SUCCESS' && refunded === moved(trade);
    return success({
      out_trade_no: trade.outTradeNo,
      trade_no: trade.tradeNo,
      trade_status: closed ? 'TRADE_CLOSED' : trade.status,
      total_amount: fenToYuan(moved(trade)),
      ...(trade.paidAtMs ? { send_pay_date: toShanghaiTime(trade.paidAtMs) } : {}),
    });
  }

  private closeTrade(biz: Record<string, string>): Answer {
    const trade = this.existing(biz);
    if (!trade) return business('ACQ.TRADE_NOT_EXIST');
    if (trade.status !== 'WAIT_BUYER_PAY') return business('ACQ.TRADE_STATUS_ERROR');
    trade.status = 'TRADE_CLOSED';
    return success({ out_trade_no: trade.outTradeNo, trade_no: trade.tradeNo });
  }

  private refund(biz: Record<string, string>): Answer {
    const trade = this.existing(biz);
    const fen = yuanToFen(biz['refund_amount']);
    const number = biz['out_request_no'];
    if (trade?.status !== 'TRADE_SUCCESS' || !fen || !number)
      return business('ACQ.TRADE_NOT_EXIST');
    if (this.refundsIdle)
      return success({ out_trade_no: trade.outTradeNo, trade_no: trade.tradeNo, fund_change: 'N' });
    const before = trade.refunds.get(number);
    if (before && before.fen !== fen) return business('ACQ.DISCORDANT_REPEAT_REQUEST');
    if (!before && sum(trade) + fen > moved(trade))
      return business('ACQ.REASON_TRADE_REFUND_FEE_ERR');
    if (!before) trade.refunds.set(number, { fen, atMs: this.now() });
    return success({
      out_trade_no: trade.outTradeNo,
      trade_no: trade.tradeNo,
      refund_fee: fenToYuan(sum(trade)),
      fund_change: before ? 'N' : 'Y',
    });
  }

  private refundQuery(biz: Record<string, string>): Answer {
    const trade = this.existing(biz);
    if (!trade) return business('TRADE_NOT_EXIST');
    const refund = trade.refunds.get(biz['out_request_no'] ?? '');
    if (!refund) return success({});
    return success({
      out_trade_no: trade.outTradeNo,
      out_request_no: biz['out_request_no'],
      refund_amount: fenToYuan(refund.fen),
      refund_status: 'REFUND_SUCCESS',
      total_amount: fenToYuan(moved(trade)),
    });
  }

  private bill(biz: Record<string, string>): Answer {
    if (this.missingBills.has(biz['bill_date'] ?? '')) return business('isp.bill_not_exist');
    const path = `/bill/${randomBytes(12).toString('hex')}`;
    const zip = alipayBillZip([...this.trades.values()], biz['bill_date'] ?? '', this.billEdits);
    this.bills.set(path, zip);
    setTimeout(() => this.bills.delete(path), 30_000).unref();
    return success({ bill_download_url: `${this.url}${path}` });
  }

  /** What the customer's phone shows behind the code. */
  private payPage(request: EmulatorRequest): EmulatorReply {
    const outTradeNo = request.path.slice('/qr/'.length);
    if (!this.trades.has(outTradeNo)) return { status: 404, body: 'no such code' };
    const trade = this.scan(outTradeNo);
    if (request.method === 'POST') this.pay(outTradeNo);
    const html = `<!doctype html><meta charset="utf-8"><title>Alipay emulator</title>
<h1>Alipay emulator</h1><p id="status">${trade.status}</p><p>CNY ${fenToYuan(trade.amountFen)}</p>
<form method="post"><button id="pay">Pay</button></form>`;
    return { status: 200, headers: { 'content-type': 'text/html' }, body: html };
  }
}

function success(fields: Answer): Answer {
  return { code: '10000', msg: 'Success', ...fields };
}

function business(subCode: string): Answer {
  return { code: '40004', msg: 'Business Failed', sub_code: subCode, sub_msg: subCode };
}

/** What the customer paid, or is asked to pay. */
function moved(trade: { amountFen: number; paidFen?: number }): number {
  return trade.paidFen ?? trade.amountFen;
}

function sum(trade: AlipayTrade): number {
  return [...trade.refunds.values()].reduce((total, { fen }) => total + fen, 0);
}
