import { createSign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { AlipaySdk } from 'alipay-sdk';
import WxPay from 'wechatpay-node-v3';
import { packageRoot } from '../../src/cli/package-root.js';
import { createAlipayGateway } from '../../src/payments/alipay/alipay-gateway.js';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import { chargeRequest } from '../contracts/gateway-contract.js';
import { type EmulatorReply, type EmulatorRequest, startServer } from '../emulators/http.js';
import { rsaPair } from '../emulators/keys.js';
import {
  type AlipayStand,
  alipayStand,
  clock,
  type WechatpayStand,
  wechatpayStand,
} from './stands.js';

/**
 * Every defect known of alipay-sdk 4.14.0 and wechatpay-node-v3 2.2.1: where it is cheap, each test
 * first shows the defect in the SDK itself, so that a fixed SDK is noticed, then that we do not have
 * it. Proved elsewhere:
 *
 * | defect | test |
 * |---|---|
 * | alipay: no key set, any answer is accepted | alipay-answers: "without a key to verify with" |
 * | alipay: a missing signature is a TypeError, an HTML 502 a SyntaxError | alipay-answers: "an answer that is ..." |
 * | alipay: 5 s time-out | alipay-answers: "no answer within the time-out" |
 * | alipay: PKCS#1 is assumed | gateways: both forms of key |
 * | wechatpay: answers are never verified | wechatpay-answers: the attacker's table |
 * | wechatpay: no time-out | wechatpay-answers: "no answer within the time-out" |
 * | wechatpay: errors carry request headers | wechatpay-answers: "errors carry no credentials" |
 * | wechatpay: each unknown serial downloads certificates | wechatpay-forgery: "a flood of unknown serials" |
 * | wechatpay: no public-key mode | gateways: "wechatpay, public key" |
 */
const unknown = { code: 'GATEWAY_UNKNOWN' };
const rejected = { code: 'NOTIFICATION_REJECTED' };

describe('alipay-sdk', () => {
  let stand: AlipayStand;
  let sdk: AlipaySdk;
  beforeAll(async () => {
    stand = await alipayStand();
    sdk = new AlipaySdk({
      appId: '2021000100000001',
      privateKey: stand.app.privatePkcs8,
      keyType: 'PKCS8',
      alipayPublicKey: stand.alipay.public,
      gateway: stand.emulator.gatewayUrl,
    });
  });
  afterAll(() => stand.close());
  afterEach(() => {
    stand.emulator.faults = () => undefined;
  });

  /** Our gateway over a server that answers as it likes. */
  async function over(
    answer: (request: EmulatorRequest) => Promise<EmulatorReply>,
    work: (gateway: ReturnType<typeof createAlipayGateway>) => Promise<unknown>,
  ) {
    const server = await startServer(answer);
    const gateway = createAlipayGateway(
      { clock },
      {
        ...{ appId: '2021000100000001', sellerId: '2088000100000001', timeoutMs: 3_000 },
        privateKey: stand.app.privatePkcs8,
        gatewayUrl: `${server.url}/gateway.do`,
        keys: { mode: 'publicKey', alipayPublicKey: stand.alipay.public },
      },
    );
    try {
      return await work(gateway).catch((error: unknown) => error);
    } finally {
      await server.close();
    }
  }
  const query = (gateway: ReturnType<typeof createAlipayGateway>) => gateway.queryCharge('ch_mine');
  const signed = (key: string, inner: string, by = stand.alipay.privatePkcs8) =>
    `{"${key}":${inner},"sign":"${createSign('RSA-SHA256').update(inner).sign(by, 'base64')}"}`;

  test('exec does not verify unless told to', async () => {
    stand.emulator.faults = () => 'unsigned';
    const believed = await sdk.exec('alipay.trade.query', {
      bizContent: { out_trade_no: 'x_y_z_1' },
    });
    expect(believed).toMatchObject({ code: '40004' });
    await expect(stand.gateway.queryCharge('x_y_z_1')).rejects.toMatchObject(unknown);
  });

  test('a signed error_response throws like a broken one: unknown, not failed', async () => {
    const inner =
      '{"code":"20000","msg":"Service Currently Unavailable","sub_code":"isp.unknow-error"}';
    const reply = { status: 200, body: signed('error_response', inner) };
    expect(await over(async () => reply, query)).toMatchObject(unknown);
  });

  test('curl accepts unsigned 4xx: we never call it', () => {
    const dir = path.join(packageRoot, 'src/payments/alipay');
    for (const file of readdirSync(dir))
      expect(readFileSync(path.join(dir, file), 'utf8')).not.toMatch(
        /sdk\.(curl|pageExec|sdkExec)/,
      );
  });

  test('a reset is followed by a second POST: the same number refunds once', async () => {
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    const { providerId } = await stand.gateway.queryCharge(charge.outTradeNo);
    stand.emulator.calls.length = 0;
    stand.emulator.faults = () => 'replyLost';
    const numbers = { outRefundNo: 'rf_reset', outTradeNo: charge.outTradeNo };
    const refund = { ...numbers, providerId: providerId!, refundMinor: 100, totalMinor: 990 };
    const wish = { ...refund, currency: 'CNY' as const };
    await expect(stand.gateway.refund(wish)).rejects.toMatchObject(unknown);
    // Seen by the provider more than once, moved once.
    expect(stand.emulator.calls.length).toBeGreaterThan(1);
    expect(stand.balance(charge.outTradeNo)).toBe(890);
    stand.emulator.faults = () => undefined;
    expect(await stand.gateway.refund(wish)).toMatchObject({
      state: 'succeeded',
      refundMinor: 100,
    });
    expect(stand.balance(charge.outTradeNo)).toBe(890);
  });

  test('redirects are followed: whoever they lead to cannot sign', async () => {
    const inner = JSON.stringify({
      ...{ code: '10000', out_trade_no: 'ch_mine', trade_status: 'TRADE_SUCCESS' },
      ...{ total_amount: '9.90', send_pay_date: '2026-11-22 10:00:00', trade_no: '1' },
    });
    const body = signed('alipay_trade_query_response', inner, rsaPair().privatePkcs8);
    let led = false;
    const thief = await startServer(async () => {
      led = true;
      return { status: 200, body };
    });
    const answer = { status: 307, headers: { location: `${thief.url}/gateway.do` } };
    expect(await over(async () => answer, query)).toMatchObject(unknown);
    await thief.close();
    expect(led).toBe(true);
  });

  test('time stamps are local: ours are China time whatever the zone of the machine', async () => {
    let stamp = '';
    const look = async ({ query: params, body }: EmulatorRequest): Promise<EmulatorReply> => {
      const form = new URLSearchParams(body.toString());
      stamp = params.get('timestamp') ?? form.get('timestamp') ?? '';
      return { status: 500 };
    };
    const before = Date.now() - 1_000;
    await over(look, query);
    expect(stamp >= toShanghaiTime(before)).toBe(true);
    expect(stamp <= toShanghaiTime(Date.now())).toBe(true);
  });

  describe('notifications', () => {
    const paid = async () => {
      const charge = chargeRequest({ nowMs: Date.now() });
      await stand.gateway.createCharge(charge);
      stand.pay(charge.outTradeNo);
      return stand.emulator.trades.get(charge.outTradeNo)!;
    };
    const open = (body: string) =>
      stand.gateway.openNotification({ headers: {}, body: Buffer.from(body) });
    const parsed = (body: string) => Object.fromEntries(new URLSearchParams(body));

    test('checkNotifySign (V1) throws on a percent sign', async () => {
      const body = stand.emulator.notificationBody(await paid(), { body: '100% colour' });
      expect(() => sdk.checkNotifySign(parsed(body))).toThrow();
      await expect(open(body)).resolves.toMatchObject({ kind: 'charge' });
    });

    test('sign_type=RSA is verified with SHA-1 and accepted', async () => {
      const fields = stand.emulator.notificationFields(await paid());
      const content = Object.keys(fields)
        .sort()
        .map((name) => `${name}=${fields[name]}`)
        .join('&');
      const sign = createSign('RSA-SHA1').update(content).sign(stand.alipay.privatePkcs8, 'base64');
      const weak = { ...fields, sign, sign_type: 'RSA' };
      expect(sdk.checkNotifySignV2(weak)).toBe(true);
      await expect(open(new URLSearchParams(weak).toString())).rejects.toMatchObject(rejected);
    });

    test('an unknown sign_type and an array for a signature throw', async () => {
      const good = stand.emulator.notificationBody(await paid());
      expect(() => sdk.checkNotifySignV2({ ...parsed(good), sign_type: 'MD5' })).toThrow();
      expect(() => sdk.checkNotifySignV2({ ...parsed(good), sign: ['a', 'b'] })).toThrow();
      for (const bad of [good.replace('sign_type=RSA2', 'sign_type=MD5'), `${good}&sign=a`])
        await expect(open(bad)).rejects.toMatchObject(rejected);
    });

    test('the signed string is not injective: text can pose as an amount', async () => {
      const trade = await paid();
      // What Alipay signed: one field with "&total_amount=" in its text.
      const fields: Record<string, string> = {
        ...stand.emulator.notificationFields(trade),
        subject: 'a&total_amount=0.01',
      };
      const { total_amount: _, ...without } = fields;
      const body = stand.emulator.signForm(without);
      const moved = { ...parsed(body), subject: 'a', total_amount: '0.01' };
      expect(sdk.checkNotifySignV2(moved)).toBe(true);
      await expect(open(body)).rejects.toMatchObject(rejected);
      // The other way round our constant subjects leave nothing to pose with.
      expect(trade.subject).not.toMatch(/[&=]/);
    });
  });
});

describe('wechatpay-node-v3', () => {
  let stand: WechatpayStand;
  beforeAll(async () => {
    stand = await wechatpayStand();
  });
  afterAll(() => stand.close());

  test('the tag of AES-GCM is never checked: a flipped byte opens', async () => {
    const pay = new WxPay({
      ...{ appid: 'wx', mchid: '1', serial_no: stand.merchant.serial, key: stand.apiV3Key },
      publicKey: Buffer.from(stand.merchant.certificate),
      privateKey: Buffer.from(stand.merchant.privatePkcs8),
    });
    const sealed = stand.emulator.seal('{"amount":990}', '0123456789ab', 'transaction');
    const bytes = Buffer.from(sealed['ciphertext']!, 'base64');
    bytes[10] = bytes[10]! ^ 1;
    const flipped = bytes.toString('base64');
    const { nonce, associated_data: data } = sealed as Record<string, string>;
    expect(JSON.stringify(pay.decipher_gcm(flipped, data!, nonce!))).not.toContain('990');
    const body = JSON.stringify({
      ...{ id: 'EV-2026112200000001', event_type: 'TRANSACTION.SUCCESS' },
      resource: { ...sealed, ciphertext: flipped, algorithm: 'AEAD_AES_256_GCM' },
    });
    const headers = Object.fromEntries(
      Object.entries(stand.emulator.signatureHeaders(body)).map(([k, v]) => [k.toLowerCase(), v]),
    );
    const raw = { headers, body: Buffer.from(body) };
    await expect(stand.gateway.openNotification(raw)).rejects.toMatchObject(rejected);
  });

  test('a network error resolves: ours is unknown, whatever is asked', async () => {
    stand.emulator.faults = () => 'lost';
    const asked = [stand.gateway.queryCharge('ch_any_x'), stand.gateway.closeCharge('ch_any_x')];
    for (const one of await Promise.allSettled(asked))
      expect(one).toMatchObject({ status: 'rejected', reason: unknown });
    stand.emulator.faults = () => undefined;
  });

  test('verifySign has no replay window: six minutes are too old for us', async () => {
    const json = { mchid: '1900000001' };
    const { body } = stand.emulator.notification(
      'http://x',
      'TRANSACTION.SUCCESS',
      'transaction',
      json,
    );
    const headers = Object.fromEntries(
      Object.entries(stand.emulator.signatureHeaders(body, Date.now() - 360_000)).map(([k, v]) => [
        k.toLowerCase(),
        v,
      ]),
    );
    const raw = { headers, body: Buffer.from(body) };
    await expect(stand.gateway.openNotification(raw)).rejects.toMatchObject(rejected);
  });
});

test.each([
  ['alipay', () => alipayStand()],
  ['wechatpay', () => wechatpayStand()],
])('%s: "paid already" to a repeated order is no refusal', async (_name, start) => {
  const stand = await start();
  const charge = chargeRequest({ nowMs: Date.now() });
  await stand.gateway.createCharge(charge);
  stand.pay(charge.outTradeNo);
  await expect(stand.gateway.createCharge(charge)).rejects.toMatchObject(unknown);
  expect((await stand.gateway.queryCharge(charge.outTradeNo)).state).toBe('paid');
  await stand.close();
});
