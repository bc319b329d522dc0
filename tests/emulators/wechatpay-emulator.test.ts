import { Wechatpay } from 'wechatpay-axios-plugin';
import { certified } from './keys.js';
import { WechatpayEmulator } from './wechatpay.js';

/** The emulator is proved by a client that shares no code with ours. */
describe('the WeChat Pay emulator satisfies an independent client', () => {
  const merchant = certified('merchant');
  const platform = certified('platform');
  const ids = { mchId: '1900000001', appId: 'wx0000000000000001' };
  let emulator: WechatpayEmulator;
  let client: Wechatpay;

  beforeAll(async () => {
    emulator = await WechatpayEmulator.start({
      ...ids,
      merchantSerial: merchant.serial,
      merchantPublicKey: merchant.public,
      apiV3Key: '0123456789abcdef0123456789ABCDEF',
      platform,
    });
    client = new Wechatpay({
      mchid: ids.mchId,
      serial: merchant.serial,
      privateKey: merchant.privatePkcs8,
      certs: { [platform.serial]: platform.certificate },
      baseURL: emulator.url,
    });
  });
  afterAll(() => emulator.close());

  const order = (outTradeNo: string) => ({
    appid: ids.appId,
    mchid: ids.mchId,
    description: 'photo',
    out_trade_no: outTradeNo,
    notify_url: 'https://example.com/notify',
    amount: { total: 990 },
  });

  test('order, pay, query, refund, close', async () => {
    const v3 = client.chain('v3/pay/transactions/native');
    const made = await v3.post(order('independent_1'));
    expect((made.data as never as { code_url: string }).code_url).toContain('/qr/independent_1');
    emulator.pay('independent_1', { notify: false });
    const asked = await client
      .chain('v3/pay/transactions/out-trade-no/{no}')
      .get({ params: { mchid: ids.mchId }, no: 'independent_1' } as never);
    expect(asked.data).toMatchObject({ trade_state: 'SUCCESS', amount: { total: 990 } });
    const refund = await client.chain('v3/refund/domestic/refunds').post({
      transaction_id: asked.data.transaction_id,
      out_refund_no: 'r1',
      amount: { refund: 10, total: 990, currency: 'CNY' },
    });
    expect((refund.data as never as { status: string }).status).toBe('SUCCESS');
    await v3.post(order('independent_2'));
    const closed = await client
      .chain('v3/pay/transactions/out-trade-no/{no}/close')
      .post({ mchid: ids.mchId }, { no: 'independent_2' } as never);
    expect(closed.status).toBe(204);
  });

  test('a wrong merchant key is refused', async () => {
    const stranger = certified('stranger');
    const forged = new Wechatpay({
      mchid: ids.mchId,
      serial: merchant.serial,
      privateKey: stranger.privatePkcs8,
      certs: { [platform.serial]: platform.certificate },
      baseURL: emulator.url,
    });
    await expect(
      forged.chain('v3/pay/transactions/native').post(order('independent_3')),
    ).rejects.toMatchObject({ response: { status: 401 } });
  });
});
