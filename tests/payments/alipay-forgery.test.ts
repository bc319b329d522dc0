import { createSign } from 'node:crypto';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import { NotificationRejected } from '../../src/studio/errors/index.js';
import { chargeRequest } from '../contracts/gateway-contract.js';
import type { AlipayTrade } from '../emulators/alipay.js';
import { rsaPair } from '../emulators/keys.js';
import { openShop, type Shop } from '../support/shop.js';
import { expectRefusedOnce } from './refused-once.js';
import { type AlipayStand, alipayStand } from './stands.js';

/**
 * Tampered notifications: each starts as a true, signed one. Where the forger is assumed to hold
 * a signature over other fields, the emulator signs those and the test moves the text.
 */
describe('alipay notifications', () => {
  let stand: AlipayStand;
  let trade: AlipayTrade;
  let shop: Shop;
  const open = (body: string | Uint8Array) =>
    stand.gateway.openNotification({
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: typeof body === 'string' ? Buffer.from(body) : body,
    });
  const good = () => stand.emulator.notificationBody(trade);
  const form = (edit: (fields: URLSearchParams) => void): string => {
    const fields = new URLSearchParams(good());
    edit(fields);
    return fields.toString();
  };
  const signed = (edits: Record<string, string>) => stand.emulator.notificationBody(trade, edits);
  const without = (name: string) => {
    const fields = stand.emulator.notificationFields(trade);
    delete fields[name];
    return stand.emulator.signForm(fields);
  };
  const signedWith = (key: string, algorithm: string, signType: string) => {
    const fields = stand.emulator.notificationFields(trade);
    const content = Object.keys(fields)
      .sort()
      .map((name) => `${name}=${fields[name]}`)
      .join('&');
    const sign = createSign(algorithm).update(content, 'utf8').sign(key, 'base64');
    return new URLSearchParams({ ...fields, sign, sign_type: signType }).toString();
  };
  const flip = (text: string, at: number) =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

  beforeAll(async () => {
    stand = await alipayStand();
    shop = await openShop({ gateway: stand.gateway });
    const charge = chargeRequest({ nowMs: Date.now() });
    await stand.gateway.createCharge(charge);
    stand.pay(charge.outTradeNo);
    trade = stand.emulator.trades.get(charge.outTradeNo)!;
  });
  afterAll(async () => {
    await shop.close();
    await stand.close();
  });

  test('a true one is accepted, with exact amounts', async () => {
    expect(await open(good())).toMatchObject({
      kind: 'charge',
      charge: {
        outTradeNo: trade.outTradeNo,
        state: 'paid',
        amountMinor: 990,
        currency: 'CNY',
        providerId: trade.tradeNo,
      },
    });
  });

  test('percent signs and other awkward text do not break verification', async () => {
    expect(await open(signed({ subject: '100% silk + "quotes" & 中文' }))).toMatchObject({
      kind: 'charge',
    });
  });

  test('the order of the fields on the wire does not matter', async () => {
    const reversed = new URLSearchParams([...new URLSearchParams(good())].reverse()).toString();
    expect(await open(reversed)).toMatchObject({ kind: 'charge' });
  });

  test('a refund notification names the refund and decides nothing by itself', async () => {
    const body = signed({ out_biz_no: 'rf_1', refund_fee: '1.00', gmt_refund: 'x' });
    expect(await open(body)).toMatchObject({
      kind: 'refund',
      refund: { outRefundNo: 'rf_1', state: 'unknown' },
    });
  });

  const forgeries: Record<string, () => string | Uint8Array> = {
    'empty body': () => '',
    'no signature': () => form((f) => f.delete('sign')),
    'empty signature': () => form((f) => f.set('sign', '')),
    'flipped signature byte': () => form((f) => f.set('sign', flip(f.get('sign')!, 40))),
    'truncated signature': () => form((f) => f.set('sign', f.get('sign')!.slice(0, 200))),
    'signature of zeros': () => form((f) => f.set('sign', Buffer.alloc(256).toString('base64'))),
    'signature in hex': () =>
      form((f) => f.set('sign', Buffer.from(f.get('sign')!, 'base64').toString('hex'))),
    'two signatures': () => form((f) => f.append('sign', f.get('sign')!)),
    'signature as an array field': () => form((f) => f.set('sign[]', f.get('sign')!)),
    'sign_type RSA (SHA-1), rightly signed so': () =>
      signedWith(stand.alipay.privatePkcs8, 'RSA-SHA1', 'RSA'),
    'sign_type RSA2 over a SHA-1 signature': () =>
      signedWith(stand.alipay.privatePkcs8, 'RSA-SHA1', 'RSA2'),
    'sign_type missing': () => form((f) => f.delete('sign_type')),
    'sign_type unknown': () => form((f) => f.set('sign_type', 'NONE')),
    'sign_type lower case': () => form((f) => f.set('sign_type', 'rsa2')),
    'signed with a stranger’s key': () => signedWith(rsaPair().privatePkcs8, 'RSA-SHA256', 'RSA2'),
    'signed with our own application key': () =>
      signedWith(stand.app.privatePkcs8, 'RSA-SHA256', 'RSA2'),
    'amount raised': () => form((f) => f.set('total_amount', '99.00')),
    'amount lowered': () => form((f) => f.set('total_amount', '0.01')),
    'amount repeated': () => form((f) => f.append('total_amount', '0.01')),
    'order number changed': () => form((f) => f.set('out_trade_no', 'ch_somebody_else')),
    'status changed': () => form((f) => f.set('trade_status', 'TRADE_FINISHED')),
    'field added': () => form((f) => f.append('buyer_pay_amount', '1.00')),
    'field removed': () => form((f) => f.delete('buyer_id')),
    'field renamed to upper case': () =>
      form((f) => {
        f.set('TOTAL_AMOUNT', f.get('total_amount')!);
        f.delete('total_amount');
      }),
    'another application, signed': () => signed({ app_id: '2021999999999999' }),
    'another seller, signed': () => signed({ seller_id: '2088999999999999' }),
    'seller missing, signed': () => without('seller_id'),
    'amount with three decimals, signed': () => signed({ total_amount: '9.900' }),
    'amount without decimals, signed': () => signed({ total_amount: '9' }),
    'amount with a comma, signed': () => signed({ total_amount: '9,90' }),
    'amount in exponent form, signed': () => signed({ total_amount: '99e-1' }),
    'amount negative, signed': () => signed({ total_amount: '-9.90' }),
    'amount with a space, signed': () => signed({ total_amount: ' 9.90' }),
    'amount in full-width digits, signed': () => signed({ total_amount: '９.９０' }),
    'amount missing, signed': () => without('total_amount'),
    'order number with a path, signed': () => signed({ out_trade_no: '../../etc/passwd' }),
    'trade number missing, signed': () => without('trade_no'),
    'notification id missing, signed': () => without('notify_id'),
    'notification of two days ago, signed': () =>
      signed({ notify_time: toShanghaiTime(Date.now() - 48 * 3_600_000) }),
    'notification of tomorrow, signed': () =>
      signed({ notify_time: toShanghaiTime(Date.now() + 24 * 3_600_000) }),
    'time malformed, signed': () => signed({ notify_time: 'yesterday' }),
    'text that swallows a field: subject=...&total_amount=0.01': () =>
      // The signed string of this form equals that of a form with a true total_amount field.
      signed({ subject: 'x&total_amount=0.01' }),
    'fields moved into a text field under a true signature': () =>
      form((f) => {
        const amount = f.get('total_amount')!;
        f.set('subject', `${f.get('subject')}&total_amount=${amount}`);
        f.delete('total_amount');
      }),
    'double percent-encoding': () => encodeURIComponent(good()),
    'JSON instead of a form': () => JSON.stringify(Object.fromEntries(new URLSearchParams(good()))),
    'XML instead of a form': () => '<xml><sign>x</sign></xml>',
    'invalid UTF-8': () => Buffer.concat([Buffer.from(good()), Buffer.from([0x26, 0x78, 0xff])]),
    'prototype pollution': () => form((f) => f.append('__proto__', 'x')),
    'a megabyte of fields': () => `${good()}&${'a=b&'.repeat(200_000)}`,
  };

  test.each(Object.keys(forgeries))('refused: %s', async (name) => {
    const body = forgeries[name]!();
    await expect(open(body)).rejects.toBeInstanceOf(NotificationRejected);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const raw = { headers, body: typeof body === 'string' ? Buffer.from(body) : body };
    await expectRefusedOnce(shop, 'alipay', raw, /2088000000000001|BEGIN|[A-Za-z0-9+/]{80,}/);
  });

  test('there are more than thirty', () => {
    expect(Object.keys(forgeries).length).toBeGreaterThan(30);
  });
});
