import {
  createCipheriv,
  createHash,
  createSign,
  createVerify,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import { toShanghaiRfc3339, toShanghaiTime } from '../../src/payments/shanghai-time.js';
import { type Fault, type FaultPlan, noFaults } from './faults.js';
import {
  type EmulatorReply,
  type EmulatorRequest,
  type EmulatorServer,
  startServer,
} from './http.js';
import type { Certified } from './keys.js';
import { type Notification, Notifier, type NotifierOptions } from './notifier.js';
import { wechatpayBillCsv } from './wechatpay-bill.js';

export interface WechatpayRefund {
  readonly outRefundNo: string;
  readonly fen: number;
  readonly atMs: number;
  status: 'SUCCESS' | 'PROCESSING' | 'ABNORMAL' | 'CLOSED';
}

export interface WechatpayTrade {
  readonly outTradeNo: string;
  readonly amountFen: number;
  readonly description: string;
  readonly expiresAtMs: number;
  readonly notifyUrl: string;
  readonly codeUrl: string;
  status: 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';
  transactionId?: string;
  paidAtMs?: number;
  /** What really moved, where it is not what was asked for. */
  paidFen?: number;
  readonly refunds: Map<string, WechatpayRefund>;
}

export interface WechatpayEmulatorOptions {
  readonly mchId: string;
  readonly appId: string;
  readonly merchantSerial: string;
  /** Verifies the merchant's requests. */
  readonly merchantPublicKey: string;
  readonly apiV3Key: string;
  /** Platform certificate: signs answers, is given out by /v3/certificates. */
  readonly platform: Certified;
  /** Public-key mode: answers to requests that name this id are signed with this key. */
  readonly publicKey?: { readonly id: string; readonly pair: Certified };
  readonly now?: () => number;
  readonly faults?: FaultPlan;
  readonly notifier?: NotifierOptions;
  /** State of a fresh refund; PROCESSING ones wait for {@link WechatpayEmulator.settleRefund}. */
  readonly refundStatus?: 'SUCCESS' | 'PROCESSING';
  readonly port?: number;
}

interface Outcome {
  readonly status: number;
  readonly json?: unknown;
}

const serialPattern = /serial_no="([^"]+)"/;

/** WeChat Pay v3 as far as a Native merchant uses it. */
export class WechatpayEmulator {
  readonly trades = new Map<string, WechatpayTrade>();
  readonly notifier: Notifier;
  /** Calls whose signature was verified, in order. */
  readonly calls: string[] = [];
  faults: FaultPlan;
  refundStatus: 'SUCCESS' | 'PROCESSING';
  /** Rotation: what signs from now on, and what /v3/certificates gives out. */
  platforms: Certified[];
  /** Differences planted into the bill; `hash` spoils the announced hash. */
  billEdits: { lines: (lines: string[]) => string[]; hash?: string } = { lines: (l) => l };
  private server!: EmulatorServer;
  private readonly bills = new Map<string, Buffer>();
  private serial = 0;

  private constructor(private readonly options: WechatpayEmulatorOptions) {
    this.faults = options.faults ?? noFaults;
    this.refundStatus = options.refundStatus ?? 'SUCCESS';
    this.platforms = [options.platform];
    this.notifier = new Notifier(
      options.notifier ?? { retryMs: [20, 40, 80], fate: () => 'deliver' },
    );
  }

  static async start(options: WechatpayEmulatorOptions): Promise<WechatpayEmulator> {
    const emulator = new WechatpayEmulator(options);
    emulator.server = await startServer((request) => emulator.handle(request), options.port);
    return emulator;
  }

  get url(): string {
    return this.server.url;
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

  /** The customer scans and pays. @returns whether the money moved. */
  pay(
    outTradeNo: string,
    options: { evenIfClosed?: boolean; notify?: boolean; fen?: number } = {},
  ): boolean {
    const trade = this.trades.get(outTradeNo);
    if (!trade) throw new Error(`no such trade: ${outTradeNo}`);
    const open = trade.status === 'NOTPAY' && this.now() < trade.expiresAtMs;
    if (trade.paidAtMs || (!open && !options.evenIfClosed)) return false;
    trade.status = 'SUCCESS';
    trade.paidAtMs = this.now();
    trade.paidFen = options.fen;
    this.serial += 1;
    trade.transactionId = `42000${Date.now()}${String(this.serial).padStart(10, '0')}`;
    if (options.notify !== false) this.notifyPaid(trade);
    return true;
  }

  notifyPaid(trade: WechatpayTrade): void {
    const id = randomUUID();
    this.notifier.send(() =>
      this.notification(
        trade.notifyUrl,
        'TRANSACTION.SUCCESS',
        'transaction',
        this.tradeJson(trade),
        id,
      ),
    );
  }

  /** A processing refund ends. */
  settleRefund(outRefundNo: string, status: 'SUCCESS' | 'ABNORMAL' | 'CLOSED'): void {
    for (const trade of this.trades.values()) {
      const refund = trade.refunds.get(outRefundNo);
      if (!refund) continue;
      refund.status = status;
      const json = { ...this.refundJson(trade, refund), refund_status: status };
      const id = randomUUID();
      this.notifier.send(() =>
        this.notification(trade.notifyUrl, `REFUND.${status}`, 'refund', json, id),
      );
    }
  }

  /** A sealed and signed notification; tests damage it afterwards. */
  notification(
    url: string,
    eventType: string,
    original: string,
    json: unknown,
    id: string = randomUUID(),
  ): Notification {
    const nonce = randomBytes(6).toString('hex');
    const body = JSON.stringify({
      id,
      create_time: toShanghaiRfc3339(this.now()),
      resource_type: 'encrypt-resource',
      event_type: eventType,
      summary: original,
      resource: {
        original_type: original,
        algorithm: 'AEAD_AES_256_GCM',
        ...this.seal(JSON.stringify(json), nonce, original),
      },
    });
    return {
      url,
      headers: { 'content-type': 'application/json', ...this.signatureHeaders(body) },
      body,
      accepted: (status) => status === 200 || status === 204,
    };
  }

  /** Headers for a body, at `atMs` or now; with the public key when the merchant asked for it. */
  signatureHeaders(body: string, atMs = this.now(), asked?: string): Record<string, string> {
    const { publicKey } = this.options;
    const usePublicKey = publicKey && (asked === undefined || asked === publicKey.id);
    const signer = usePublicKey ? publicKey.pair : this.platforms[0]!;
    const timestamp = String(Math.floor(atMs / 1000));
    const nonce = randomBytes(16).toString('hex');
    return {
      'Wechatpay-Timestamp': timestamp,
      'Wechatpay-Nonce': nonce,
      'Wechatpay-Serial': usePublicKey ? publicKey.id : signer.serial,
      'Wechatpay-Signature': createSign('RSA-SHA256')
        .update(`${timestamp}\n${nonce}\n${body}\n`)
        .sign(signer.privatePkcs8, 'base64'),
    };
  }

  seal(text: string, nonce: string, associatedData: string): Record<string, string> {
    const cipher = createCipheriv('aes-256-gcm', this.options.apiV3Key, nonce);
    cipher.setAAD(Buffer.from(associatedData));
    const sealed = Buffer.concat([
      cipher.update(text, 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return { ciphertext: sealed.toString('base64'), nonce, associated_data: associatedData };
  }

  private async handle(request: EmulatorRequest): Promise<EmulatorReply> {
    if (request.path.startsWith('/qr/')) return this.payPage(request);
    const what = `${request.method} ${request.path}`;
    const refused = this.authenticate(request);
    if (refused) return this.answer(refused, request);
    this.calls.push(what);
    const outTradeNo = /out-trade-no\/([^/?]+)/.exec(request.path)?.[1] ?? '';
    return this.underFault(this.faults(what, outTradeNo), request, () => this.perform(request));
  }

  private authenticate(request: EmulatorRequest): Outcome | undefined {
    const no = { status: 401, json: { code: 'SIGN_ERROR', message: 'sign' } };
    const header = request.headers.authorization ?? '';
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(header)?.[1] ?? '';
    if (!header.startsWith('WECHATPAY2-SHA256-RSA2048 ')) return no;
    if (field('mchid') !== this.options.mchId) return no;
    if (serialPattern.exec(header)?.[1] !== this.options.merchantSerial) return no;
    if (Math.abs(Number(field('timestamp')) * 1000 - this.now()) > 300_000) return no;
    const signed = `${request.method}\n${request.url}\n${field('timestamp')}\n${field('nonce_str')}\n${request.body.toString('utf8')}\n`;
    const good = createVerify('RSA-SHA256')
      .update(signed)
      .verify(this.options.merchantPublicKey, field('signature'), 'base64');
    return good ? undefined : no;
  }

  private underFault(
    fault: Fault | undefined,
    request: EmulatorRequest,
    perform: () => Outcome | EmulatorReply,
  ): EmulatorReply {
    const reset: EmulatorReply = { status: 0, reset: true };
    if (fault === 'lost') return reset;
    if (fault === 'html502') return { status: 502, body: '<html>502 Bad Gateway</html>' };
    if (fault === 'http500') return { status: 500, body: '' };
    if (fault === 'systemError')
      return this.answer({ status: 500, json: { code: 'SYSTEM_ERROR', message: 'x' } }, request);
    const outcome = perform();
    if (fault === 'replyLost') return reset;
    if ('body' in outcome) return outcome as EmulatorReply;
    const reply = this.answer(outcome as Outcome, request);
    if (fault === 'slow') return { ...reply, delayMs: 1_500 };
    if (fault === 'unsigned') return { ...reply, headers: { 'content-type': 'application/json' } };
    if (fault === 'forged') return { ...reply, body: `${String(reply.body ?? '')} ` };
    return reply;
  }

  private answer(outcome: Outcome, request: EmulatorRequest): EmulatorReply {
    const body = outcome.json === undefined ? '' : JSON.stringify(outcome.json);
    const asked = request.headers['wechatpay-serial'];
    return {
      status: outcome.status,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...this.signatureHeaders(body, this.now(), typeof asked === 'string' ? asked : ''),
      },
      body,
    };
  }

  private perform(request: EmulatorRequest): Outcome | EmulatorReply {
    const { path, method } = request;
    const json = (): Record<string, unknown> => JSON.parse(request.body.toString('utf8') || '{}');
    if (path === '/v3/certificates') return this.certificates();
    if (path === '/v3/pay/transactions/native' && method === 'POST') return this.native(json());
    const trade = /^\/v3\/pay\/transactions\/out-trade-no\/([^/]+)(\/close)?$/.exec(path);
    if (trade) return trade[2] ? this.closeTrade(trade[1]!) : this.query(trade[1]!);
    if (path === '/v3/refund/domestic/refunds' && method === 'POST') return this.refund(json());
    const refund = /^\/v3\/refund\/domestic\/refunds\/([^/]+)$/.exec(path);
    if (refund) return this.refundQuery(refund[1]!);
    if (path === '/v3/bill/tradebill') return this.bill(request.query.get('bill_date') ?? '');
    if (path === '/v3/billdownload/file') {
      const bytes = this.bills.get(request.query.get('token') ?? '');
      return bytes ? { status: 200, body: bytes } : no(400, 'PARAM_ERROR');
    }
    return no(404, 'NOT_FOUND');
  }

  private certificates(): Outcome {
    const data = this.platforms.map(({ serial, certificate }) => ({
      serial_no: serial,
      effective_time: toShanghaiRfc3339(this.now() - 86_400_000),
      expire_time: toShanghaiRfc3339(this.now() + 86_400_000),
      encrypt_certificate: {
        algorithm: 'AEAD_AES_256_GCM',
        ...this.seal(certificate, randomBytes(6).toString('hex'), 'certificate'),
      },
    }));
    return { status: 200, json: { data } };
  }

  private native(order: Record<string, unknown>): Outcome {
    const amount = order['amount'] as { total?: unknown; currency?: unknown } | undefined;
    const outTradeNo = String(order['out_trade_no'] ?? '');
    const notifyUrl = String(order['notify_url'] ?? '');
    const total = amount?.total;
    if (order['mchid'] !== this.options.mchId || order['appid'] !== this.options.appId)
      return no(400, 'APPID_MCHID_NOT_MATCH');
    if (!Number.isSafeInteger(total) || !/^https?:/.test(notifyUrl) || !order['description'])
      return no(400, 'PARAM_ERROR');
    const before = this.trades.get(outTradeNo);
    if (before?.status === 'SUCCESS') return no(400, 'ORDERPAID');
    if (before?.status === 'CLOSED') return no(400, 'ORDER_CLOSED');
    if (before && before.amountFen !== total) return no(400, 'INVALID_REQUEST');
    const codeUrl = `${this.url}/qr/${outTradeNo}`;
    const expires = Date.parse(String(order['time_expire'] ?? ''));
    if (!before)
      this.trades.set(outTradeNo, {
        outTradeNo,
        amountFen: total as number,
        description: String(order['description']),
        expiresAtMs: Number.isNaN(expires) ? this.now() + 7_200_000 : expires,
        notifyUrl,
        codeUrl,
        status: 'NOTPAY',
        refunds: new Map(),
      });
    return { status: 200, json: { code_url: codeUrl } };
  }

  private query(outTradeNo: string): Outcome {
    const trade = this.trades.get(outTradeNo);
    if (!trade) return no(404, 'ORDER_NOT_EXIST');
    return { status: 200, json: this.tradeJson(trade) };
  }

  tradeJson(trade: WechatpayTrade): Record<string, unknown> {
    const paid = trade.paidAtMs !== undefined;
    return {
      appid: this.options.appId,
      mchid: this.options.mchId,
      out_trade_no: trade.outTradeNo,
      trade_state: trade.status,
      trade_state_desc: trade.status,
      ...(paid
        ? {
            transaction_id: trade.transactionId,
            trade_type: 'NATIVE',
            bank_type: 'OTHERS',
            success_time: toShanghaiRfc3339(trade.paidAtMs!),
            payer: { openid: 'oEmulatedPayer' },
            amount: {
              total: moved(trade),
              payer_total: moved(trade),
              currency: 'CNY',
              payer_currency: 'CNY',
            },
          }
        : {}),
    };
  }

  private closeTrade(outTradeNo: string): Outcome {
    const trade = this.trades.get(outTradeNo);
    if (!trade) return no(404, 'ORDER_NOT_EXIST');
    if (trade.paidAtMs) return no(400, 'ORDERPAID');
    trade.status = 'CLOSED';
    return { status: 204 };
  }

  private refund(request: Record<string, unknown>): Outcome {
    const trade = [...this.trades.values()].find(
      (t) => t.transactionId !== undefined && t.transactionId === request['transaction_id'],
    );
    const amount = request['amount'] as { refund?: number; total?: number } | undefined;
    const number = String(request['out_refund_no'] ?? '');
    if (!trade) return no(404, 'RESOURCE_NOT_EXISTS');
    const fen = amount?.refund ?? 0;
    if (amount?.total !== moved(trade) || fen <= 0 || !number) return no(400, 'PARAM_ERROR');
    const before = trade.refunds.get(number);
    if (before && before.fen !== fen) return no(400, 'INVALID_REQUEST');
    const refunded = [...trade.refunds.values()]
      .filter((r) => r.status !== 'CLOSED')
      .reduce((total, r) => total + r.fen, 0);
    if (!before && refunded + fen > moved(trade)) return no(403, 'NOT_ENOUGH');
    const refund = before ?? {
      outRefundNo: number,
      fen,
      atMs: this.now(),
      status: this.refundStatus,
    };
    trade.refunds.set(number, refund);
    trade.status = 'REFUND';
    return { status: 200, json: this.refundJson(trade, refund) };
  }

  private refundJson(trade: WechatpayTrade, refund: WechatpayRefund): Record<string, unknown> {
    return {
      mchid: this.options.mchId,
      refund_id: `50${refund.outRefundNo}`,
      out_refund_no: refund.outRefundNo,
      transaction_id: trade.transactionId,
      out_trade_no: trade.outTradeNo,
      channel: 'ORIGINAL',
      status: refund.status,
      create_time: toShanghaiRfc3339(refund.atMs),
      amount: { total: moved(trade), refund: refund.fen, currency: 'CNY' },
    };
  }

  private refundQuery(outRefundNo: string): Outcome {
    for (const trade of this.trades.values()) {
      const refund = trade.refunds.get(outRefundNo);
      if (refund) return { status: 200, json: this.refundJson(trade, refund) };
    }
    return no(404, 'RESOURCE_NOT_EXISTS');
  }

  private bill(date: string): Outcome {
    const onDay = (atMs?: number) => atMs && toShanghaiTime(atMs).startsWith(date);
    const trades = [...this.trades.values()].filter((t) => t.paidAtMs);
    if (
      !trades.some((t) => onDay(t.paidAtMs) || [...t.refunds.values()].some((r) => onDay(r.atMs)))
    )
      return no(400, 'NO_STATEMENT_EXIST');
    const { appId, mchId } = this.options;
    const bytes = Buffer.from(
      wechatpayBillCsv(trades, date, { appId, mchId }, this.billEdits.lines),
    );
    const token = randomBytes(12).toString('hex');
    this.bills.set(token, bytes);
    const hash = this.billEdits.hash ?? createHash('sha1').update(bytes).digest('hex');
    // The real host: the merchant's transport maps it to wherever the emulator listens.
    const url = `https://api.mch.weixin.qq.com/v3/billdownload/file?token=${token}`;
    return { status: 200, json: { hash_type: 'SHA1', hash_value: hash, download_url: url } };
  }

  /** What the customer's phone shows behind the code. */
  private payPage(request: EmulatorRequest): EmulatorReply {
    const outTradeNo = request.path.slice('/qr/'.length);
    const trade = this.trades.get(outTradeNo);
    if (!trade) return { status: 404, body: 'no such code' };
    if (request.method === 'POST') this.pay(outTradeNo);
    const html = `<!doctype html><meta charset="utf-8"><title>WeChat Pay emulator</title>
<h1>WeChat Pay emulator</h1><p id="status">${trade.status}</p><p>fen ${trade.amountFen}</p>
<form method="post"><button id="pay">Pay</button></form>`;
    return { status: 200, headers: { 'content-type': 'text/html' }, body: html };
  }
}

/** What the customer paid, or is asked to pay. */
function moved(trade: WechatpayTrade): number {
  return trade.paidFen ?? trade.amountFen;
}

function no(status: number, code: string): Outcome {
  return { status, json: { code, message: code } };
}
