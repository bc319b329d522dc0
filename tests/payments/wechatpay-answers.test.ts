import { createSign } from 'node:crypto';
import { createWechatpayGateway } from '../../src/payments/wechatpay/wechatpay-gateway.js';
import type { PaymentGateway } from '../../src/studio/ports/gateway.js';
import { chargeRequest } from '../contracts/gateway-contract.js';
import type { Fault } from '../emulators/faults.js';
import { type EmulatorReply, type EmulatorServer, startServer } from '../emulators/http.js';
import { certified } from '../emulators/keys.js';
import { clock, wechatpayStand } from './stands.js';
import { openWaitingShop } from './waiting-shop.js';

/** Defects of wechatpay-node-v3 2.2.1 that must not reach us (facts found by trying it). */
describe('wechatpay answers', () => {
  test.each<Fault>([
    'lost',
    'replyLost',
    'html502',
    'http500',
    'systemError',
    'unsigned',
    'forged',
  ])('an answer that is %s is unknown, never a failure, never a success', async (fault) => {
    const stand = await wechatpayStand();
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const status = await stand.gateway.queryCharge(charge.outTradeNo);
    const refund = {
      outRefundNo: 'rf_1',
      outTradeNo: charge.outTradeNo,
      providerId: status.providerId!,
      refundMinor: 990,
      totalMinor: 990,
      currency: 'CNY' as const,
    };
    stand.emulator.faults = () => fault;
    const calls = [
      stand.gateway.createCharge(charge),
      stand.gateway.queryCharge(charge.outTradeNo),
      stand.gateway.closeCharge(charge.outTradeNo),
      stand.gateway.refund(refund),
      stand.gateway.queryRefund(refund),
    ];
    for (const outcome of await Promise.allSettled(calls))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'GATEWAY_UNKNOWN' } });
    stand.emulator.faults = () => undefined;
    expect((await stand.gateway.refund(refund)).state).toBe('succeeded');
    expect(stand.balance(charge.outTradeNo)).toBe(0);
    await stand.close();
  });

  test('no answer within the time-out is unknown', async () => {
    const stand = await wechatpayStand();
    const hasty = stand.reopen(300);
    await hasty.queryCharge('ch_warm_up');
    stand.emulator.faults = () => 'slow';
    await expect(hasty.queryCharge('ch_any_thing')).rejects.toMatchObject({
      code: 'GATEWAY_UNKNOWN',
    });
    await stand.close();
  });

  test('errors carry no credentials', async () => {
    const stand = await wechatpayStand();
    stand.emulator.faults = () => 'html502';
    const error = await stand.gateway.queryCharge('ch_x_y_z').catch((e: unknown) => e);
    const text = `${JSON.stringify(error)} ${(error as Error).stack} ${String((error as Error).cause)}`;
    expect(text).not.toMatch(/WECHATPAY2|signature=|BEGIN|[A-Za-z0-9+/]{80,}/i);
    await stand.close();
  });

  test('platform certificates rotate without a restart', async () => {
    let offsetMs = 0;
    const now = () => Date.now() + offsetMs;
    const stand = await wechatpayStand({ now });
    expect((await stand.gateway.queryCharge('ch_before')).state).toBe('absent');
    stand.emulator.platforms = [certified('platform-2'), ...stand.emulator.platforms];
    // The first answer with the new serial comes after the refresh interval.
    offsetMs = 61_000;
    expect((await stand.gateway.queryCharge('ch_after')).state).toBe('absent');
    await stand.close();
  });

  test('while a merchant is moved to the public key, both kinds of signature are good', async () => {
    const stand = await wechatpayStand({ mode: 'publicKey' });
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const json = stand.emulator.tradeJson(stand.emulator.trades.get(charge.outTradeNo)!);
    const { body } = stand.emulator.notification('http://x', 'TRANSACTION.SUCCESS', 'x', json);
    for (const key of [undefined, stand.platform.serial]) {
      const signed = Object.entries(stand.emulator.signatureHeaders(body, Date.now(), key));
      const headers = Object.fromEntries(signed.map(([name, v]) => [name.toLowerCase(), v]));
      expect(headers['wechatpay-serial']).toEqual(key ?? expect.stringMatching(/^PUB_KEY_ID_/));
      const opened = await stand.gateway.openNotification({ headers, body: Buffer.from(body) });
      expect(opened).toMatchObject({ kind: 'charge', charge: { state: 'paid' } });
    }
    await stand.close();
  });

  test('a certificate download sealed with another APIv3 key is not believed', async () => {
    const stand = await wechatpayStand({ apiV3Key: 'ffffffffffffffffffffffffffffffff' });
    await expect(stand.gateway.queryCharge('ch_any')).rejects.toMatchObject({
      code: 'GATEWAY_UNKNOWN',
    });
    await stand.close();
  });

  test('a processing refund is followed, an abnormal one is named', async () => {
    const stand = await wechatpayStand({ refundStatus: 'PROCESSING' });
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const { providerId } = await stand.gateway.queryCharge(charge.outTradeNo);
    const refund = {
      outRefundNo: 'rf_slow',
      outTradeNo: charge.outTradeNo,
      providerId: providerId!,
      refundMinor: 100,
      totalMinor: 990,
      currency: 'CNY' as const,
    };
    expect((await stand.gateway.refund(refund)).state).toBe('processing');
    stand.emulator.settleRefund('rf_slow', 'ABNORMAL');
    expect((await stand.gateway.queryRefund(refund)).state).toBe('abnormal');
    stand.emulator.settleRefund('rf_slow', 'SUCCESS');
    expect(await stand.gateway.refund(refund)).toMatchObject({
      state: 'succeeded',
      refundMinor: 100,
    });
    await stand.close();
  });

  test('a bill that does not match its hash is not read', async () => {
    const stand = await wechatpayStand();
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    stand.emulator.billEdits = {
      lines: (l) => l,
      hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    };
    await expect(stand.gateway.downloadBill(stand.today())).rejects.toMatchObject({
      code: 'GATEWAY_UNKNOWN',
    });
    await stand.close();
  });

  test('a bill of today before ten in the morning after is not ready', async () => {
    const stand = await wechatpayStand();
    await expect(stand.gateway.downloadBill(stand.today())).rejects.toMatchObject({
      code: 'BILL_NOT_READY',
    });
    expect(await stand.gateway.downloadBill('2024-01-01')).toEqual([]);
    await stand.close();
  });

  describe('an attacker between us and WeChat Pay', () => {
    const merchant = certified('merchant');
    const keys = certified('wechat');
    const stranger = certified('stranger');
    const id = 'PUB_KEY_ID_0119000000012026';
    const paid = (over: Record<string, unknown> = {}) =>
      JSON.stringify({
        appid: 'wx1',
        mchid: '1900000001',
        out_trade_no: mine,
        transaction_id: '4200001',
        trade_state: 'SUCCESS',
        success_time: '2026-11-22T10:00:00+08:00',
        amount: { total: 990, currency: 'CNY' },
        ...over,
      });
    const headersFor = (body: string, atMs = Date.now(), key = keys.privatePkcs8) => {
      const timestamp = String(Math.floor(atMs / 1000));
      return {
        'Wechatpay-Timestamp': timestamp,
        'Wechatpay-Nonce': 'nonce',
        'Wechatpay-Serial': id,
        'Wechatpay-Signature': createSign('RSA-SHA256')
          .update(`${timestamp}\nnonce\n${body}\n`)
          .sign(key, 'base64'),
      } as Record<string, string>;
    };

    let mine = '';
    let reply: EmulatorReply = { status: 200 };
    let server: EmulatorServer;
    let gateway: PaymentGateway;
    let shop: Awaited<ReturnType<typeof openWaitingShop>>;
    beforeAll(async () => {
      const made = '{"code_url":"weixin://wxpay/bizpayurl?pr=x"}';
      server = await startServer(async ({ method }) =>
        method === 'POST' ? { status: 200, headers: headersFor(made), body: made } : reply,
      );
      gateway = createWechatpayGateway(
        { clock },
        {
          mchId: '1900000001',
          appId: 'wx1',
          serial: merchant.serial,
          privateKey: merchant.privatePkcs8,
          certificate: merchant.certificate,
          apiV3Key: '0'.repeat(32),
          baseUrl: server.url,
          timeoutMs: 2_000,
          verifier: { mode: 'publicKey', publicKeyId: id, publicKey: keys.public },
        },
      );
      shop = await openWaitingShop(gateway);
      mine = shop.chargeId;
    });
    afterAll(async () => {
      await shop.close();
      await server.close();
    });

    function answerOf(given: { status?: number; headers: Record<string, string>; body: string }) {
      reply = { status: 200, ...given };
      return gateway.queryCharge(mine).catch((error: unknown) => error);
    }
    const drop = (name: string) => () => {
      const headers = headersFor(paid());
      delete headers[name];
      return { headers, body: paid() };
    };
    const set = (name: string, value: string) => () => ({
      headers: { ...headersFor(paid()), [name]: value },
      body: paid(),
    });
    const signedBody = (make: () => string) => () => {
      const body = make();
      return { headers: headersFor(body), body };
    };

    test('the harness itself: a true answer is believed', async () => {
      expect(await answerOf(signedBody(paid)())).toMatchObject({ state: 'paid' });
    });

    const tampered: Record<
      string,
      () => { status?: number; headers: Record<string, string>; body: string }
    > = {
      'no headers': () => ({ headers: {}, body: paid() }),
      'no signature': drop('Wechatpay-Signature'),
      'no timestamp': drop('Wechatpay-Timestamp'),
      'no nonce': drop('Wechatpay-Nonce'),
      'no serial': drop('Wechatpay-Serial'),
      'signature empty': set('Wechatpay-Signature', ''),
      'signature of zeros': set('Wechatpay-Signature', Buffer.alloc(256).toString('base64')),
      'signature not base64': set('Wechatpay-Signature', '!'.repeat(344)),
      'signature truncated': set('Wechatpay-Signature', 'A'.repeat(100)),
      'nonce changed': set('Wechatpay-Nonce', 'other'),
      'serial changed': set('Wechatpay-Serial', 'PUB_KEY_ID_0119999999992026'),
      'serial of the merchant': set('Wechatpay-Serial', merchant.serial),
      'serial toString': set('Wechatpay-Serial', 'toString'),
      'timestamp changed': set('Wechatpay-Timestamp', String(Math.floor(Date.now() / 1000) - 10)),
      'timestamp malformed': set('Wechatpay-Timestamp', '0x65'),
      'six minutes old': () => ({
        headers: headersFor(paid(), Date.now() - 360_000),
        body: paid(),
      }),
      'six minutes ahead': () => ({
        headers: headersFor(paid(), Date.now() + 360_000),
        body: paid(),
      }),
      'signed by a stranger': () => ({
        headers: headersFor(paid(), Date.now(), stranger.privatePkcs8),
        body: paid(),
      }),
      'signed by ourselves': () => ({
        headers: headersFor(paid(), Date.now(), merchant.privatePkcs8),
        body: paid(),
      }),
      'signature of the open answer': () => ({
        headers: headersFor(paid({ trade_state: 'NOTPAY' })),
        body: paid(),
      }),
      'a space added': () => ({ headers: headersFor(paid()), body: `${paid()} ` }),
      'amount changed': () => ({
        headers: headersFor(paid()),
        body: paid({ amount: { total: 1, currency: 'CNY' } }),
      }),
      'fields reordered': () => ({
        headers: headersFor(paid()),
        body: JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(paid())).reverse())),
      }),
      'another trade, signed': signedBody(() => paid({ out_trade_no: 'ch_other' })),
      'no trade, signed': signedBody(() => paid({ out_trade_no: undefined })),
      'amount as text, signed': signedBody(() =>
        paid({ amount: { total: '990', currency: 'CNY' } }),
      ),
      'amount missing, signed': signedBody(() => paid({ amount: undefined })),
      'foreign currency, signed': signedBody(() =>
        paid({ amount: { total: 990, currency: 'HKD' } }),
      ),
      'transaction id missing, signed': signedBody(() => paid({ transaction_id: undefined })),
      'state unknown, signed': signedBody(() => paid({ trade_state: 'PAID' })),
      'array, signed': signedBody(() => '[]'),
      'null, signed': signedBody(() => 'null'),
      'HTML, signed': signedBody(() => '<html>SUCCESS</html>'),
      'empty, signed': signedBody(() => ''),
      'paid with status 500, signed': () => ({ ...signedBody(paid)(), status: 500 }),
      'paid with status 302, signed': () => ({ ...signedBody(paid)(), status: 302 }),
      'paid with status 429, signed': () => ({ ...signedBody(paid)(), status: 429 }),
      'unsigned 404': () => ({ status: 404, headers: {}, body: '{"code":"ORDER_NOT_EXIST"}' }),
    };

    test.each(Object.keys(tampered))('not believed: %s', async (name) => {
      const outcome = (await answerOf(tampered[name]!())) as { state?: string; code?: string };
      expect(outcome.state === undefined || outcome.state === 'unknown').toBe(true);
      expect(outcome.state ?? outcome.code).toMatch(/^(unknown|GATEWAY_UNKNOWN)$/);
      await shop.expectNotBelieved(/[A-Za-z0-9+/]{80,}|BEGIN|4200001/);
    });

    test('after all that, the true answer settles the order', async () => {
      reply = { status: 200, ...signedBody(paid)() };
      await shop.ask();
      expect(await shop.state()).toBe('fulfilled');
    });

    test('there are more than thirty', () => {
      expect(Object.keys(tampered).length).toBeGreaterThan(30);
    });
  });
});
