import { createSign } from 'node:crypto';
import { createAlipayGateway } from '../../src/payments/alipay/alipay-gateway.js';
import type { PaymentGateway } from '../../src/studio/ports/gateway.js';
import { chargeRequest } from '../contracts/gateway-contract.js';
import type { Fault } from '../emulators/faults.js';
import { type EmulatorReply, type EmulatorServer, startServer } from '../emulators/http.js';
import { rsaPair } from '../emulators/keys.js';
import { alipayStand, clock } from './stands.js';
import { openWaitingShop } from './waiting-shop.js';

/** Defects of alipay-sdk 4.14.0 that must not reach us (facts found by trying it). */
describe('alipay answers', () => {
  test.each<Fault>([
    'lost',
    'replyLost',
    'html502',
    'http500',
    'systemError',
    'unsigned',
    'forged',
  ])('an answer that is %s is unknown, never a failure', async (fault) => {
    const stand = await alipayStand();
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const status = await stand.gateway.queryCharge(charge.outTradeNo);
    stand.emulator.faults = () => fault;
    const refund = {
      outRefundNo: 'rf_1',
      outTradeNo: charge.outTradeNo,
      providerId: status.providerId!,
      refundMinor: 990,
      totalMinor: 990,
      currency: 'CNY' as const,
    };
    const calls = [
      stand.gateway.createCharge(charge),
      stand.gateway.queryCharge(charge.outTradeNo),
      stand.gateway.closeCharge(charge.outTradeNo),
      stand.gateway.refund(refund),
      stand.gateway.queryRefund(refund),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'GATEWAY_UNKNOWN' } });
    }
    stand.emulator.faults = () => undefined;
    // After the storm the same numbers tell what happened.
    expect((await stand.gateway.refund(refund)).state).toBe('succeeded');
    expect(stand.balance(charge.outTradeNo)).toBe(0);
    await stand.close();
  });

  test('a refund that moved nothing is not done; a trade that went back whole is not merely closed', async () => {
    const stand = await alipayStand();
    const charge = chargeRequest({ nowMs: Date.now() });
    const { outTradeNo } = charge;
    await stand.gateway.createCharge(charge);
    stand.pay(outTradeNo);
    const { providerId, amountMinor } = await stand.gateway.queryCharge(outTradeNo);
    const [refundMinor, totalMinor] = [amountMinor!, amountMinor!];
    const refund = {
      ...{ outRefundNo: 'rf_1', outTradeNo, providerId: providerId!, currency: 'CNY' as const },
      ...{ refundMinor, totalMinor },
    };
    stand.emulator.refundsIdle = true;
    expect((await stand.gateway.refund(refund)).state).toBe('absent');
    stand.emulator.refundsIdle = false;
    expect((await stand.gateway.refund(refund)).state).toBe('succeeded');
    expect((await stand.gateway.refund(refund)).state).toBe('succeeded');
    expect(await stand.gateway.queryCharge(outTradeNo)).toMatchObject({ state: 'refunded' });
    await stand.close();
  });

  test('no answer within the time-out is unknown', async () => {
    const stand = await alipayStand({ timeoutMs: 300 });
    stand.emulator.faults = () => 'slow';
    await expect(stand.gateway.queryCharge('ch_any_thing')).rejects.toMatchObject({
      code: 'GATEWAY_UNKNOWN',
    });
    await stand.close();
  });

  test('without a key to verify with, the gateway does not start', () => {
    const app = rsaPair();
    expect(() =>
      createAlipayGateway(
        { clock },
        {
          appId: '1',
          sellerId: '2',
          privateKey: app.privatePkcs8,
          timeoutMs: 1_000,
          keys: { mode: 'publicKey', alipayPublicKey: '' },
        },
      ),
    ).toThrow(/no key to verify/);
  });

  describe('an attacker between us and Alipay', () => {
    const app = rsaPair();
    const alipay = rsaPair();
    const sign = (raw: string, key = alipay.privatePkcs8) =>
      createSign('RSA-SHA256').update(raw, 'utf8').sign(key, 'base64');
    const inner = (fields: Record<string, unknown> = {}) =>
      JSON.stringify({
        code: '10000',
        msg: 'Success',
        out_trade_no: mine,
        trade_no: '2026112222001499000000000001',
        trade_status: 'TRADE_SUCCESS',
        total_amount: '9.90',
        send_pay_date: '2026-11-22 10:00:00',
        ...fields,
      });
    const key = 'alipay_trade_query_response';
    const wrap = (raw: string, signature: string) => `{"${key}":${raw},"sign":"${signature}"}`;
    const open = () => inner({ trade_status: 'WAIT_BUYER_PAY' });
    let mine = '';
    let reply: EmulatorReply = { status: 200 };
    let server: EmulatorServer;
    let gateway: PaymentGateway;
    let shop: Awaited<ReturnType<typeof openWaitingShop>>;
    beforeAll(async () => {
      server = await startServer(async ({ query, body }) => {
        if (query.get('method') !== 'alipay.trade.precreate') return reply;
        const biz = JSON.parse(new URLSearchParams(body.toString()).get('biz_content')!);
        const { out_trade_no } = biz;
        const made = JSON.stringify({ code: '10000', out_trade_no, qr_code: 'https://qr.example' });
        const text = `{"alipay_trade_precreate_response":${made},"sign":"${sign(made)}"}`;
        return { status: 200, body: text };
      });
      gateway = createAlipayGateway(
        { clock },
        {
          appId: '2021000100000001',
          sellerId: '2088000100000001',
          privateKey: app.privatePkcs8,
          gatewayUrl: `${server.url}/gateway.do`,
          timeoutMs: 2_000,
          keys: { mode: 'publicKey', alipayPublicKey: alipay.public },
        },
      );
      shop = await openWaitingShop(gateway);
      mine = shop.chargeId;
    });
    afterAll(async () => {
      await shop.close();
      await server.close();
    });

    function answerOf(body: string, status = 200) {
      reply = { status, body };
      return gateway.queryCharge(mine).catch((error: unknown) => error);
    }

    test('the harness itself: a true answer is believed', async () => {
      expect(await answerOf(wrap(inner(), sign(inner())))).toMatchObject({ state: 'paid' });
    });

    const tampered: Record<string, () => string> = {
      'paid, unsigned': () => `{"${key}":${inner()}}`,
      'paid, empty signature': () => wrap(inner(), ''),
      'paid, signature null': () => `{"${key}":${inner()},"sign":null}`,
      'paid, signature a number': () => `{"${key}":${inner()},"sign":1}`,
      'paid, signature an array': () => `{"${key}":${inner()},"sign":["${sign(inner())}"]}`,
      'paid, signature of the open answer': () => wrap(inner(), sign(open())),
      'signed by our own key': () => wrap(inner(), sign(inner(), app.privatePkcs8)),
      'signed by a stranger': () => wrap(inner(), sign(inner(), rsaPair().privatePkcs8)),
      'SHA-1 signature': () =>
        wrap(inner(), createSign('RSA-SHA1').update(inner()).sign(alipay.privatePkcs8, 'base64')),
      'a space added': () => wrap(`${inner().slice(0, -1)} }`, sign(inner())),
      'a field added': () => wrap(`${inner().slice(0, -1)},"x":1}`, sign(inner())),
      'field order changed': () => {
        const fields = JSON.parse(inner()) as Record<string, unknown>;
        return wrap(
          JSON.stringify(Object.fromEntries(Object.entries(fields).reverse())),
          sign(inner()),
        );
      },
      'status changed': () => wrap(inner(), sign(open())),
      'amount changed': () => wrap(inner({ total_amount: '99.00' }), sign(inner())),
      'amount as a number, signed': () =>
        wrap(inner({ total_amount: 9.9 }), sign(inner({ total_amount: 9.9 }))),
      'amount malformed, signed': () =>
        wrap(inner({ total_amount: '9.9' }), sign(inner({ total_amount: '9.9' }))),
      'another trade, signed': () =>
        wrap(inner({ out_trade_no: 'ch_other' }), sign(inner({ out_trade_no: 'ch_other' }))),
      'trade missing, signed': () =>
        wrap(inner({ out_trade_no: undefined }), sign(inner({ out_trade_no: undefined }))),
      'duplicate response, the forged one last': () =>
        `{"${key}":${open()},"${key}":${inner()},"sign":"${sign(open())}"}`,
      'duplicate response, the forged one first': () =>
        `{"${key}":${inner()},"${key}":${open()},"sign":"${sign(open())}"}`,
      'true answer hidden in another field': () =>
        `{"a":{"${key}":${open()},"sign":"${sign(open())}"},"${key}":${inner()},"sign":"x"}`,
      'true answer hidden in a string': () =>
        `{"x":${JSON.stringify(`${key}":${open()},"sign"`)},"${key}":${inner()},"sign":"${sign(open())}"}`,
      'escaped key': () =>
        `{"alipay_trade_query\\u005fresponse":${inner()},"${key}x":${open()},"sign":"${sign(open())}"}`,
      'error_response instead, signed': () => {
        const raw = '{"code":"40002","sub_code":"isv.invalid-signature"}';
        return `{"error_response":${raw},"sign":"${sign(raw)}"}`;
      },
      'answer of another method, signed': () =>
        `{"alipay_trade_close_response":${inner()},"sign":"${sign(inner())}"}`,
      'code as a number, signed': () => wrap(inner({ code: 10000 }), sign(inner({ code: 10000 }))),
      'unknown code, signed': () => wrap(inner({ code: '12345' }), sign(inner({ code: '12345' }))),
      'array instead of an object, signed': () => wrap(`[${inner()}]`, sign(`[${inner()}]`)),
      'null, signed': () => wrap('null', sign('null')),
      'a string, signed': () => wrap('"paid"', sign('"paid"')),
      'truncated JSON': () => wrap(inner(), sign(inner())).slice(0, -30),
      HTML: () => '<html>10000 TRADE_SUCCESS</html>',
      empty: () => '',
      'byte order mark': () => `\ufeff${wrap(inner(), 'AAAA')}`,
    };

    test.each(Object.keys(tampered))('not believed: %s', async (name) => {
      const outcome = await answerOf(tampered[name]!());
      expect(outcome).toMatchObject({ code: expect.stringMatching(/^GATEWAY_/) });
      expect(outcome).not.toMatchObject({ state: 'paid' });
      await shop.expectNotBelieved(/[A-Za-z0-9+/]{80,}|BEGIN|2026112222001499/);
    });

    test('after all that, the true answer settles the order', async () => {
      reply = { status: 200, body: wrap(inner(), sign(inner())) };
      await shop.ask();
      expect(await shop.state()).toBe('fulfilled');
    });

    test('unsigned 4xx and signed 5xx are not believed', async () => {
      const good = wrap(inner(), sign(inner()));
      for (const status of [301, 400, 403, 404, 500, 502])
        expect(await answerOf(good, status)).toMatchObject({ code: 'GATEWAY_UNKNOWN' });
    });

    test('there are more than thirty', () => {
      expect(Object.keys(tampered).length).toBeGreaterThan(30);
    });
  });
});
