import type {
  ChargeRequest,
  PaymentGateway,
  RefundRequest,
} from '../../src/studio/ports/gateway.js';

/** A gateway connected to its provider (an emulator over a socket), and the customer's hands. */
export interface GatewayStand {
  readonly gateway: PaymentGateway;
  /** The customer opens the code: some providers know no trade before. */
  scan(outTradeNo: string): void;
  /** @returns whether the money moved. */
  pay(outTradeNo: string): boolean | Promise<boolean>;
  /** Money that the provider holds for us for this trade, refunds taken off. */
  balance(outTradeNo: string): number | Promise<number>;
  /** YYYY-MM-DD of now, in the provider's zone. */
  today(): string;
  readonly capabilities: {
    readonly partialRefunds: boolean;
    /** What a query says before the customer opened the code. */
    readonly unopened: 'absent' | 'open';
    /** What a query says of a closed, unpaid trade. */
    readonly closed: 'closed' | 'absent';
    /** Where Telegram's answers go. */
    readonly telegramChatId?: string;
  };
  close(): Promise<void>;
}

let counter = 0;

/** A fresh charge; numbers never repeat within a run. */
export function chargeRequest(over: Partial<ChargeRequest> & { nowMs: number }): ChargeRequest {
  counter += 1;
  const { nowMs, ...rest } = over;
  return {
    outTradeNo: `ch_test_${process.pid}_${counter}`,
    amountMinor: 990,
    currency: 'CNY',
    subject: 'Huancai HD photo',
    expiresAtMs: nowMs + 900_000,
    ...rest,
  };
}

/** What every payment gateway promises, whoever is behind it. */
export function gatewayContract(name: string, start: () => Promise<GatewayStand>): void {
  describe(`payment gateway contract: ${name}`, () => {
    let stand: GatewayStand;
    const now = () => Date.now();
    const request = (over: Partial<ChargeRequest> = {}) =>
      chargeRequest({
        nowMs: now(),
        currency: stand.gateway.currency,
        telegramChatId: stand.capabilities.telegramChatId,
        ...over,
      });
    const refundOf = (charge: ChargeRequest, providerId: string, minor: number): RefundRequest => ({
      outRefundNo: `rf_${charge.outTradeNo}_${minor}`.slice(0, 32),
      outTradeNo: charge.outTradeNo,
      providerId,
      refundMinor: minor,
      totalMinor: charge.amountMinor,
      currency: charge.currency,
      telegramUserId: stand.capabilities.telegramChatId,
    });
    async function paid(over: Partial<ChargeRequest> = {}) {
      const charge = request(over);
      await stand.gateway.createCharge(charge);
      expect(await stand.pay(charge.outTradeNo)).toBe(true);
      const status = await stand.gateway.queryCharge(charge.outTradeNo);
      return { charge, status };
    }

    beforeAll(async () => {
      stand = await start();
    });
    afterAll(() => stand.close());

    test('a charge offers something to pay with', async () => {
      const offer = await stand.gateway.createCharge(request());
      expect(Boolean(offer.qr) || Boolean(offer.shownInChat)).toBe(true);
    });

    test('the same charge again is the same charge', async () => {
      const charge = request();
      const first = await stand.gateway.createCharge(charge);
      const second = await stand.gateway.createCharge(charge);
      expect(Boolean(second.qr)).toBe(Boolean(first.qr));
      await stand.pay(charge.outTradeNo);
      expect(await stand.balance(charge.outTradeNo)).toBe(charge.amountMinor);
    });

    test('query follows the trade from unopened to paid, exact to the last fen', async () => {
      const charge = request({ amountMinor: 1_234_567 });
      await stand.gateway.createCharge(charge);
      const before = await stand.gateway.queryCharge(charge.outTradeNo);
      expect(before.state).toBe(stand.capabilities.unopened);
      stand.scan(charge.outTradeNo);
      expect(await stand.pay(charge.outTradeNo)).toBe(true);
      const after = await stand.gateway.queryCharge(charge.outTradeNo);
      expect(after).toMatchObject({
        outTradeNo: charge.outTradeNo,
        state: 'paid',
        amountMinor: 1_234_567,
        currency: stand.gateway.currency,
        merchantId: stand.gateway.merchantId,
        appId: stand.gateway.appId,
      });
      expect(after.providerId).toBeTruthy();
      expect(Math.abs((after.paidAtMs ?? 0) - now())).toBeLessThan(120_000);
    });

    test('a trade nobody made is absent', async () => {
      const status = await stand.gateway.queryCharge(request().outTradeNo);
      expect(status.state).toBe('absent');
    });

    test('closing an unpaid trade ends it', async () => {
      const charge = request();
      await stand.gateway.createCharge(charge);
      stand.scan(charge.outTradeNo);
      const closed = await stand.gateway.closeCharge(charge.outTradeNo);
      expect(['closed', 'absent']).toContain(closed.state);
      const after = await stand.gateway.queryCharge(charge.outTradeNo);
      expect(after.state).toBe(stand.capabilities.closed);
    });

    test('closing a paid trade says that it is paid', async () => {
      const { charge } = await paid();
      const status = await stand.gateway.closeCharge(charge.outTradeNo);
      expect(status).toMatchObject({ state: 'paid', amountMinor: charge.amountMinor });
    });

    test('a full refund moves the money once, however often it is asked', async () => {
      const { charge, status } = await paid();
      const refund = refundOf(charge, status.providerId!, charge.amountMinor);
      const first = await stand.gateway.refund(refund);
      expect(first.state).toBe('succeeded');
      const again = await stand.gateway.refund(refund);
      expect(again.state).toBe('succeeded');
      expect(await stand.balance(charge.outTradeNo)).toBe(0);
      const asked = await stand.gateway.queryRefund(refund);
      expect(asked).toMatchObject({ state: 'succeeded', refundMinor: charge.amountMinor });
    });

    test('partial refunds add up and never exceed what was paid', async () => {
      const { charge, status } = await paid();
      const part = refundOf(charge, status.providerId!, 300);
      if (!stand.capabilities.partialRefunds) {
        await expect(stand.gateway.refund(part)).rejects.toMatchObject({ code: 'GATEWAY_REFUSED' });
        return;
      }
      expect((await stand.gateway.refund(part)).state).toBe('succeeded');
      expect(await stand.balance(charge.outTradeNo)).toBe(charge.amountMinor - 300);
      const tooMuch = refundOf(charge, status.providerId!, charge.amountMinor - 299);
      const outcome = await stand.gateway.refund(tooMuch).catch((error: unknown) => error);
      expect(outcome).not.toMatchObject({ state: 'succeeded' });
      expect(await stand.balance(charge.outTradeNo)).toBe(charge.amountMinor - 300);
    });

    test('a refund nobody asked for is absent', async () => {
      const { charge, status } = await paid();
      const asked = await stand.gateway.queryRefund(refundOf(charge, status.providerId!, 1));
      expect(asked.state).toBe('absent');
    });

    test('the bill lists payments and refunds of the day', async () => {
      const { charge, status } = await paid({ amountMinor: 4_321 });
      await stand.gateway.refund(refundOf(charge, status.providerId!, 4_321));
      const lines = await stand.gateway.downloadBill(stand.today());
      const ours = lines.filter((line) => line.outTradeNo === charge.outTradeNo);
      expect(ours.map((line) => [line.kind, line.amountMinor, line.providerId])).toEqual([
        ['charge', 4_321, status.providerId],
        ['refund', 4_321, status.providerId],
      ]);
    });

    test('replies to notifications tell the provider to stop or to try again', () => {
      const accepted = stand.gateway.notificationReply('accepted');
      expect(accepted.status).toBeLessThan(300);
      if (stand.gateway.id === 'alipay' || stand.gateway.id === 'wechatpay') {
        expect(stand.gateway.notificationReply('tryAgain').status).toBeGreaterThanOrEqual(500);
        expect(stand.gateway.notificationReply('rejected').status).toBeGreaterThanOrEqual(400);
      }
    });
  });
}
