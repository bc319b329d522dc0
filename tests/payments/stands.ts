import { createAlipayGateway } from '../../src/payments/alipay/alipay-gateway.js';
import { toShanghaiTime } from '../../src/payments/shanghai-time.js';
import { createStarsGateway } from '../../src/payments/stars/stars-gateway.js';
import { createWechatpayGateway } from '../../src/payments/wechatpay/wechatpay-gateway.js';
import type { PaymentGateway } from '../../src/studio/ports/gateway.js';
import type { GatewayStand } from '../contracts/gateway-contract.js';
import { AlipayEmulator, type AlipayEmulatorOptions } from '../emulators/alipay.js';
import { type Certified, certified, type RsaPair, rsaPair } from '../emulators/keys.js';
import { type StarTransaction, TelegramEmulator } from '../emulators/telegram/emulator.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { WechatpayEmulator, type WechatpayEmulatorOptions } from '../emulators/wechatpay.js';

export const clock = { now: () => Date.now() };
const today = () => toShanghaiTime(Date.now()).slice(0, 10);

export interface AlipayStand extends GatewayStand {
  readonly emulator: AlipayEmulator;
  readonly app: RsaPair;
  readonly alipay: RsaPair;
}

export async function alipayStand(
  over: Partial<AlipayEmulatorOptions> & {
    certificates?: boolean;
    notifyUrl?: string;
    timeoutMs?: number;
    pkcs?: 1 | 8;
  } = {},
): Promise<AlipayStand> {
  const app = over.certificates ? certified('app') : rsaPair();
  const alipay = over.certificates ? certified('alipay') : rsaPair();
  const ids = { appId: '2021000100000001', sellerId: '2088000100000001' };
  const emulator = await AlipayEmulator.start({
    ...ids,
    appPublicKey: app.public,
    keys: alipay,
    ...over,
  });
  const gateway = createAlipayGateway(
    { clock },
    {
      ...ids,
      privateKey: over.pkcs === 1 ? app.privatePkcs1 : app.privatePkcs8,
      gatewayUrl: emulator.gatewayUrl,
      notifyUrl: over.notifyUrl,
      timeoutMs: over.timeoutMs ?? 5_000,
      keys: over.certificates
        ? {
            mode: 'certificate',
            appCert: (app as Certified).certificate,
            rootCert: certified('root').certificate,
            alipayCert: (alipay as Certified).certificate,
          }
        : { mode: 'publicKey', alipayPublicKey: alipay.public },
    },
  );
  return {
    gateway,
    emulator,
    app,
    alipay,
    scan: (no) => void emulator.scan(no),
    pay: (no) => emulator.pay(no),
    balance: (no) => {
      const trade = emulator.trades.get(no);
      const back = [...(trade?.refunds.values() ?? [])].reduce((sum, r) => sum + r.fen, 0);
      return trade?.paidAtMs ? trade.amountFen - back : 0;
    },
    today,
    capabilities: { partialRefunds: true, unopened: 'absent', closed: 'closed' },
    close: () => emulator.close(),
  };
}

export interface WechatpayStand extends GatewayStand {
  readonly emulator: WechatpayEmulator;
  readonly merchant: Certified;
  readonly platform: Certified;
  readonly apiV3Key: string;
  /** Another gateway on the same emulator, e.g. after a restart. */
  reopen(timeoutMs?: number): PaymentGateway;
}

export async function wechatpayStand(
  over: Partial<WechatpayEmulatorOptions> & {
    mode?: 'certificate' | 'publicKey';
    notifyUrl?: string;
    timeoutMs?: number;
  } = {},
): Promise<WechatpayStand> {
  const merchant = certified('merchant');
  const platform = certified('platform');
  const keyPair = certified('public-key');
  const apiV3Key = '0123456789abcdef0123456789ABCDEF';
  const ids = { mchId: '1900000001', appId: 'wx0000000000000001' };
  const publicKey = { id: 'PUB_KEY_ID_0119000000012026000000000000000000', pair: keyPair };
  const usesPublicKey = over.mode === 'publicKey';
  const emulator = await WechatpayEmulator.start({
    ...ids,
    merchantSerial: merchant.serial,
    merchantPublicKey: merchant.public,
    apiV3Key,
    platform,
    ...(usesPublicKey ? { publicKey } : {}),
    ...over,
  });
  const open = (timeoutMs = over.timeoutMs ?? 5_000) =>
    createWechatpayGateway(
      { clock: over.now ? { now: over.now } : clock },
      {
        ...ids,
        serial: merchant.serial,
        privateKey: merchant.privatePkcs8,
        certificate: merchant.certificate,
        apiV3Key,
        baseUrl: emulator.url,
        notifyUrl: over.notifyUrl,
        timeoutMs,
        verifier: usesPublicKey
          ? { mode: 'publicKey', publicKeyId: publicKey.id, publicKey: keyPair.public }
          : { mode: 'certificate' },
      },
    );
  return {
    gateway: open(),
    reopen: open,
    emulator,
    merchant,
    platform,
    apiV3Key,
    scan: () => {},
    pay: (no) => emulator.pay(no),
    balance: (no) => {
      const trade = emulator.trades.get(no);
      const back = [...(trade?.refunds.values() ?? [])]
        .filter((r) => r.status === 'SUCCESS')
        .reduce((sum, r) => sum + r.fen, 0);
      return trade?.paidAtMs ? trade.amountFen - back : 0;
    },
    today,
    capabilities: { partialRefunds: true, unopened: 'open', closed: 'closed' },
    close: () => emulator.close(),
  };
}

/** Telegram Stars: the bot's star transactions at an emulated Bot API server. */
export async function starsStand(): Promise<GatewayStand & { emulator: TelegramEmulator }> {
  const emulator = await TelegramEmulator.start();
  const person = new TelegramPerson(emulator, { id: 777001 });
  const gateway = createStarsGateway({ token: emulator.token, apiRoot: emulator.url });
  const paidFor = (no: string) => (t: StarTransaction) => t.source?.['invoice_payload'] === no;
  return {
    gateway,
    emulator,
    scan: () => {},
    pay: (no) => {
      const invoice = emulator.invoices.get(no);
      if (!invoice || emulator.stars.some(paidFor(no))) return false;
      emulator.stars.push({
        id: `stars_${no}`,
        amount: invoice.amount,
        date: Math.floor(Date.now() / 1000),
        source: { type: 'user', user: person.user, invoice_payload: no },
      });
      return true;
    },
    balance: (no) => {
      const paid = emulator.stars.find(paidFor(no));
      const back = emulator.stars.some((t) => t.receiver && t.id === paid?.id);
      return paid && !back ? paid.amount : 0;
    },
    today: () => new Date().toISOString().slice(0, 10),
    capabilities: {
      partialRefunds: false,
      unopened: 'absent',
      closed: 'absent',
      telegramChatId: String(person.chat.id),
    },
    close: () => emulator.close(),
  };
}
