import { createSign } from 'node:crypto';
import { NotificationRejected } from '../../src/studio/errors/index.js';
import type { RawNotification } from '../../src/studio/ports/gateway.js';
import { chargeRequest } from '../contracts/gateway-contract.js';
import { certified } from '../emulators/keys.js';
import type { WechatpayTrade } from '../emulators/wechatpay.js';
import { openShop, type Shop } from '../support/shop.js';
import { expectRefusedOnce } from './refused-once.js';
import { type WechatpayStand, wechatpayStand } from './stands.js';

type Headers = Record<string, string | string[]>;

describe.each(['certificate', 'publicKey'] as const)('wechatpay notifications, %s mode', (mode) => {
  let stand: WechatpayStand;
  let trade: WechatpayTrade;
  let shop: Shop;
  const stranger = certified('stranger');
  const notifyUrl = 'http://127.0.0.1:9/notify/wechatpay';

  const good = (
    json: unknown = stand.emulator.tradeJson(trade),
    event = 'TRANSACTION.SUCCESS',
  ): RawNotification => {
    const { headers, body } = stand.emulator.notification(notifyUrl, event, 'transaction', json);
    return { headers: lower(headers), body: Buffer.from(body) };
  };
  const lower = (headers: Headers): Headers =>
    Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
  const withHeaders = (edit: (headers: Headers) => void): RawNotification => {
    const raw = good();
    const headers = { ...raw.headers } as Headers;
    edit(headers);
    return { headers, body: raw.body };
  };
  /** Damage the body under its old signature. */
  const withBody = (edit: (text: string) => string): RawNotification => {
    const raw = good();
    return { headers: raw.headers, body: Buffer.from(edit(Buffer.from(raw.body).toString())) };
  };
  /** Damage the body and sign it as WeChat would: only what is inside can give it away. */
  const resigned = (edit: (envelope: Envelope) => void): RawNotification => {
    const envelope = JSON.parse(Buffer.from(good().body).toString()) as Envelope;
    edit(envelope);
    const body = JSON.stringify(envelope);
    return { headers: lower(stand.emulator.signatureHeaders(body)), body: Buffer.from(body) };
  };
  const aged = (ms: number): RawNotification => {
    const raw = good();
    const text = Buffer.from(raw.body).toString();
    return {
      headers: lower(stand.emulator.signatureHeaders(text, Date.now() + ms)),
      body: raw.body,
    };
  };
  const flipBase64 = (text: string, byte: number): string => {
    const bytes = Buffer.from(text, 'base64');
    const at = byte < 0 ? bytes.length + byte : byte;
    bytes[at] = bytes[at]! ^ 1;
    return bytes.toString('base64');
  };
  const edited = (over: Record<string, unknown>) =>
    good({ ...stand.emulator.tradeJson(trade), ...over });

  interface Envelope {
    id: unknown;
    event_type: string;
    resource: Record<string, unknown>;
  }

  beforeAll(async () => {
    stand = await wechatpayStand({ mode });
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
    expect(await stand.gateway.openNotification(good())).toMatchObject({
      kind: 'charge',
      charge: {
        outTradeNo: trade.outTradeNo,
        state: 'paid',
        amountMinor: 990,
        currency: 'CNY',
        providerId: trade.transactionId,
        merchantId: stand.gateway.merchantId,
        appId: stand.gateway.appId,
      },
    });
  });

  test('true to the end of the window on both sides', async () => {
    for (const ms of [-290_000, 290_000])
      expect(await stand.gateway.openNotification(aged(ms))).toMatchObject({ kind: 'charge' });
  });

  test('refund notifications carry the refund', async () => {
    const json = {
      mchid: stand.gateway.merchantId,
      out_trade_no: trade.outTradeNo,
      out_refund_no: 'rf_1',
      refund_status: 'ABNORMAL',
      amount: { total: 990, refund: 500, payer_total: 990, payer_refund: 500 },
    };
    expect(await stand.gateway.openNotification(good(json, 'REFUND.ABNORMAL'))).toMatchObject({
      kind: 'refund',
      refund: { outRefundNo: 'rf_1', state: 'abnormal', refundMinor: 500 },
    });
  });

  test('an event we do not know is accepted and decides nothing', async () => {
    expect(
      await stand.gateway.openNotification(good({ mchid: stand.gateway.merchantId }, 'X.Y')),
    ).toMatchObject({ kind: 'other' });
  });

  const h = {
    signature: 'wechatpay-signature',
    timestamp: 'wechatpay-timestamp',
    nonce: 'wechatpay-nonce',
    serial: 'wechatpay-serial',
  };
  const forgeries: Record<string, () => RawNotification> = {
    'no signature': () => withHeaders((x) => delete x[h.signature]),
    'no timestamp': () => withHeaders((x) => delete x[h.timestamp]),
    'no nonce': () => withHeaders((x) => delete x[h.nonce]),
    'no serial': () => withHeaders((x) => delete x[h.serial]),
    'signature flipped': () =>
      withHeaders((x) => {
        x[h.signature] = flipBase64(x[h.signature] as string, 10);
      }),
    'signature truncated': () =>
      withHeaders((x) => {
        x[h.signature] = (x[h.signature] as string).slice(0, 100);
      }),
    'signature repeated': () =>
      withHeaders((x) => {
        x[h.signature] = [x[h.signature] as string, x[h.signature] as string];
      }),
    'signature in hex': () =>
      withHeaders((x) => {
        x[h.signature] = Buffer.from(x[h.signature] as string, 'base64').toString('hex');
      }),
    'signature of zeros': () =>
      withHeaders((x) => {
        x[h.signature] = Buffer.alloc(256).toString('base64');
      }),
    'a probe': () =>
      withHeaders((x) => {
        x[h.signature] = `WECHATPAY/SIGNTEST/${(x[h.signature] as string).slice(19)}`;
      }),
    'timestamp changed': () =>
      withHeaders((x) => {
        x[h.timestamp] = String(Number(x[h.timestamp]) + 1);
      }),
    'timestamp in milliseconds': () =>
      withHeaders((x) => {
        x[h.timestamp] = `${x[h.timestamp]}000`;
      }),
    'timestamp not a number': () =>
      withHeaders((x) => {
        x[h.timestamp] = 'NaN';
      }),
    'nonce changed': () =>
      withHeaders((x) => {
        x[h.nonce] = 'another';
      }),
    'nonce with a line break': () =>
      withHeaders((x) => {
        x[h.nonce] = `${x[h.nonce]}\n`;
      }),
    'serial unknown': () =>
      withHeaders((x) => {
        x[h.serial] = stranger.serial;
      }),
    'serial of the merchant': () =>
      withHeaders((x) => {
        x[h.serial] = stand.merchant.serial;
      }),
    'serial empty': () =>
      withHeaders((x) => {
        x[h.serial] = '';
      }),
    'serial __proto__': () =>
      withHeaders((x) => {
        x[h.serial] = '__proto__';
      }),
    'replay after six minutes': () => aged(-360_000),
    'six minutes from the future': () => aged(360_000),
    'signed by a stranger under the true serial': () => {
      const raw = good();
      const headers = { ...raw.headers } as Headers;
      headers[h.signature] = createSign('RSA-SHA256')
        .update(`${headers[h.timestamp]}\n${headers[h.nonce]}\n`)
        .update(raw.body)
        .update('\n')
        .sign(stranger.privatePkcs8, 'base64');
      return { headers, body: raw.body };
    },
    'signed by the merchant under the true serial': () => {
      const raw = good();
      const headers = { ...raw.headers } as Headers;
      headers[h.signature] = createSign('RSA-SHA256')
        .update(`${headers[h.timestamp]}\n${headers[h.nonce]}\n`)
        .update(raw.body)
        .update('\n')
        .sign(stand.merchant.privatePkcs8, 'base64');
      return { headers, body: raw.body };
    },
    'body empty': () => withBody(() => ''),
    'body with a space more': () => withBody((text) => `${text} `),
    'body with other field order': () =>
      withBody((text) =>
        JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse())),
      ),
    'body pretty-printed': () => withBody((text) => JSON.stringify(JSON.parse(text), null, 1)),
    'event changed': () =>
      withBody((text) => text.replace('TRANSACTION.SUCCESS', 'REFUND.SUCCESS')),
    'another notification’s body': () => {
      const raw = good();
      return { headers: raw.headers, body: good().body };
    },
    'ciphertext flipped, signed': () =>
      resigned((e) => {
        e.resource['ciphertext'] = flipBase64(e.resource['ciphertext'] as string, 5);
      }),
    'tag flipped, signed': () =>
      resigned((e) => {
        e.resource['ciphertext'] = flipBase64(e.resource['ciphertext'] as string, -1);
      }),
    'tag truncated to 15 bytes, signed': () =>
      resigned((e) => {
        const bytes = Buffer.from(e.resource['ciphertext'] as string, 'base64');
        e.resource['ciphertext'] = bytes.subarray(0, -1).toString('base64');
      }),
    'tag cut off, signed': () =>
      resigned((e) => {
        const bytes = Buffer.from(e.resource['ciphertext'] as string, 'base64');
        e.resource['ciphertext'] = bytes.subarray(0, -16).toString('base64');
      }),
    'ciphertext empty, signed': () =>
      resigned((e) => {
        e.resource['ciphertext'] = '';
      }),
    'nonce changed, signed': () =>
      resigned((e) => {
        e.resource['nonce'] = 'aaaaaaaaaaaa';
      }),
    'nonce of another length, signed': () =>
      resigned((e) => {
        e.resource['nonce'] = 'short';
      }),
    'associated data changed, signed': () =>
      resigned((e) => {
        e.resource['associated_data'] = 'refund';
      }),
    'associated data missing, signed': () => resigned((e) => delete e.resource['associated_data']),
    'algorithm changed, signed': () =>
      resigned((e) => {
        e.resource['algorithm'] = 'AES-256-ECB';
      }),
    'algorithm missing, signed': () => resigned((e) => delete e.resource['algorithm']),
    'plaintext instead of ciphertext, signed': () =>
      resigned((e) => {
        e.resource['ciphertext'] = JSON.stringify(stand.emulator.tradeJson(trade));
      }),
    'resource missing, signed': () =>
      resigned((e) => {
        delete (e as Partial<Envelope>).resource;
      }),
    'id missing, signed': () =>
      resigned((e) => {
        e.id = undefined;
      }),
    'another merchant, sealed and signed': () => edited({ mchid: '1999999999' }),
    'another app, sealed and signed': () => edited({ appid: 'wx9999999999999999' }),
    'amount as text, sealed and signed': () =>
      edited({ amount: { total: '990', currency: 'CNY' } }),
    'amount with a fraction, sealed and signed': () =>
      edited({ amount: { total: 9.9, currency: 'CNY' } }),
    'amount in dollars, sealed and signed': () =>
      edited({ amount: { total: 990, currency: 'USD' } }),
    'amount missing, sealed and signed': () => edited({ amount: undefined }),
    'transaction id missing, sealed and signed': () => edited({ transaction_id: undefined }),
    'order number missing, sealed and signed': () => edited({ out_trade_no: undefined }),
    'an array, sealed and signed': () => good([]),
    'null, sealed and signed': () => good(null),
  };

  test.each(Object.keys(forgeries))('refused: %s', async (name) => {
    const raw = forgeries[name]!();
    await expect(stand.gateway.openNotification(raw)).rejects.toBeInstanceOf(NotificationRejected);
    const secrets = /oEmulatedPayer|0123456789abcdef|BEGIN|[A-Za-z0-9+/]{80,}/;
    await expectRefusedOnce(shop, 'wechatpay', raw, secrets);
  });

  test('there are more than thirty', () => {
    expect(Object.keys(forgeries).length).toBeGreaterThan(30);
  });

  test('a flood of unknown serials asks WeChat Pay for certificates at most once a minute', async () => {
    const before = stand.emulator.calls.filter((c) => c.includes('/v3/certificates')).length;
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        stand.gateway
          .openNotification(
            withHeaders((x) => {
              x[h.serial] = `4${String(i).padStart(39, '0')}`;
            }),
          )
          .catch(() => {}),
      ),
    );
    const after = stand.emulator.calls.filter((c) => c.includes('/v3/certificates')).length;
    expect(after - before).toBeLessThanOrEqual(1);
  });
});
