import { Telegram } from 'telegraf';
import { GatewayRefused, GatewayUnknown, NotificationRejected } from '../../studio/errors/index.js';
import type {
  ChargeStatus,
  PaymentGateway,
  RawNotification,
  RefundRequest,
  RefundStatus,
} from '../../studio/ports/gateway.js';
import { createStarLedger } from './star-ledger.js';

/** The bot whose Stars they are. */
export interface StarsConfig {
  readonly token: string;
  /** Default https://api.telegram.org */
  readonly apiRoot?: string;
}

/** What the Telegram adapter hands over when a `successful_payment` message arrives. */
export interface StarsPayment {
  readonly payerId: string;
  readonly invoicePayload: string;
  readonly currency: string;
  readonly totalAmount: number;
  readonly chargeId: string;
  readonly paidAtMs: number;
}

/** An answer to a small question takes no longer on any line, ms. */
const callMs = 30_000;

/**
 * Telegram Stars (XTR). The invoice lives in the chat; `successful_payment` arrives with the
 * bot's own updates, which are authenticated by the bot token, and may repeat. The bot's star
 * transactions answer queries, so that a lost update loses no money.
 * @see https://core.telegram.org/bots/payments-stars
 */
export function createStarsGateway(config: StarsConfig): PaymentGateway {
  const telegram = new Telegram(
    config.token,
    config.apiRoot ? { apiRoot: config.apiRoot, webhookReply: false } : { webhookReply: false },
  );
  const appId = config.token.split(':')[0] ?? '';
  /** telegraf 4.16 predates Stars: newer methods go through callApi. */
  const call = async <T>(method: string, payload: object): Promise<T> => {
    try {
      // telegraf's own patience is 500 s: longer than anybody waits for an invoice.
      const limit = { signal: AbortSignal.timeout(callMs) as never };
      return (await telegram.callApi(method as never, payload as never, limit)) as T;
    } catch (error) {
      throw translate(method, error);
    }
  };
  /** A group may have closed the topic, or become another one: then a link is as good. */
  async function isSent(invoice: { chat_id: string }): Promise<boolean> {
    try {
      await call('sendInvoice', invoice);
      return true;
    } catch (error) {
      if (!(error instanceof GatewayRefused) || !invoice.chat_id.startsWith('-')) throw error;
      return false;
    }
  }

  const ledger = createStarLedger((offset, limit) =>
    call('getStarTransactions', { offset, limit }),
  );

  async function queryCharge(outTradeNo: string): Promise<ChargeStatus> {
    const paid = await ledger.payment(outTradeNo);
    if (!paid) return { outTradeNo, state: 'absent' };
    return {
      outTradeNo,
      state: 'paid',
      providerId: paid.id,
      amountMinor: paid.amount,
      currency: 'XTR',
      merchantId: appId,
      appId,
      paidAtMs: paid.atMs,
    };
  }

  async function queryRefund(request: RefundRequest): Promise<RefundStatus> {
    const refund = await ledger.refund(request.providerId);
    const { outRefundNo } = request;
    return refund
      ? { outRefundNo, state: 'succeeded', refundMinor: refund.amount }
      : { outRefundNo, state: 'absent' };
  }

  return {
    id: 'stars',
    currency: 'XTR',
    merchantId: appId,
    appId,

    async createCharge(request) {
      const invoice = {
        title: request.subject,
        description: request.subject,
        payload: request.outTradeNo,
        provider_token: '',
        currency: 'XTR',
        prices: [{ label: request.subject, amount: request.amountMinor }],
      };
      const { telegramChatId: chatId } = request;
      const sent = chatId !== undefined && (await isSent({ ...addressOf(chatId), ...invoice }));
      if (sent) return { shownInChat: true };
      const link = await call<string>('createInvoiceLink', invoice);
      return { qr: link, appUrl: link };
    },

    queryCharge,

    /** An invoice cannot be withdrawn: the pre-checkout question is answered "no" after expiry. */
    closeCharge: async (outTradeNo) => {
      const status = await queryCharge(outTradeNo);
      return status.state === 'absent' ? { outTradeNo, state: 'closed' } : status;
    },

    async refund(request) {
      if (request.refundMinor !== request.totalMinor)
        throw new GatewayRefused('stars', 'PARTIAL_REFUND', 'Stars go back whole or not at all');
      // Who paid may not be who ordered: in groups, and for orders from the page.
      const paid = await ledger.payment(request.outTradeNo);
      const payer = paid?.payerId ?? Number(request.telegramUserId);
      if (!payer) throw new GatewayRefused('stars', 'PAYER_UNKNOWN', 'the payer is not known');
      try {
        await call('refundStarPayment', {
          user_id: payer,
          telegram_payment_charge_id: request.providerId,
        });
      } catch (error) {
        // A retry of a refund that went through earlier.
        const again =
          error instanceof GatewayRefused && error.message.includes('CHARGE_ALREADY_REFUNDED');
        if (!again) throw error;
      }
      return {
        outRefundNo: request.outRefundNo,
        state: 'succeeded',
        refundMinor: request.refundMinor,
      };
    },

    queryRefund,
    downloadBill: (date) => ledger.bill(date),
    openNotification: async (raw) => ({
      ...openStarsPayment(raw, appId),
      kind: 'charge' as const,
    }),
    notificationReply: () => ({ status: 200, contentType: 'text/plain', body: '' }),
  };
}

/** Nothing in it is signed: only what came over the bot's own connection may be believed. */
function openStarsPayment(
  raw: RawNotification,
  appId: string,
): { key: string; charge: ChargeStatus } {
  if (raw.via !== 'chat') throw new NotificationRejected('stars', "not over the bot's connection");
  const { invoicePayload, chargeId, totalAmount, currency, paidAtMs } = parse(raw.body);
  const payload = typeof invoicePayload === 'string' && /^.{1,128}$/s.test(invoicePayload);
  const id = typeof chargeId === 'string' && /^[\x21-\x7e]{1,255}$/.test(chargeId);
  if (!payload || !id) throw new NotificationRejected('stars', 'payment is malformed');
  const whole = Number.isSafeInteger(totalAmount) && (totalAmount as number) > 0;
  if (!whole || currency !== 'XTR') throw new NotificationRejected('stars', 'amount is malformed');
  const dated = paidAtMs === undefined || (Number.isSafeInteger(paidAtMs) && paidAtMs > 0);
  if (!dated) throw new NotificationRejected('stars', 'time is malformed');
  return {
    key: `paid:${chargeId}`,
    charge: {
      outTradeNo: invoicePayload,
      state: 'paid',
      providerId: chargeId,
      amountMinor: totalAmount,
      currency: 'XTR',
      merchantId: appId,
      appId,
      paidAtMs,
    },
  };
}

function parse(body: Uint8Array): Partial<StarsPayment> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Partial<StarsPayment>;
  } catch {
    // Said below.
  }
  throw new NotificationRejected('stars', 'body is not a JSON object');
}

/** A topic of a forum is named `<group>/<topic>`. */
function addressOf(chatId: string): { chat_id: string; message_thread_id?: number } {
  const [chat_id = chatId, topic] = chatId.split('/');
  return topic === undefined ? { chat_id } : { chat_id, message_thread_id: Number(topic) };
}

/** Vendor errors, without the token that telegraf keeps in the request's address. */
function translate(method: string, error: unknown): GatewayRefused | GatewayUnknown {
  const answer = (error as { response?: { error_code?: number; description?: string } }).response;
  const code = answer?.error_code;
  // Telegram's servers answer a wrong 401 now and then: that is no decision.
  if (code === undefined || code === 401 || code === 429 || code >= 500)
    return new GatewayUnknown('stars', `${method}: ${code ?? 'no answer'}`);
  return new GatewayRefused('stars', String(code), `${method}: ${answer?.description ?? ''}`);
}
