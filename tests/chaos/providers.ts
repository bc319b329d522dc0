import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Random } from '../crash/random.js';
import { AlipayEmulator } from '../emulators/alipay.js';
import { allFaults, type FaultPlan, noFaults } from '../emulators/faults.js';
import { certified, rsaPair } from '../emulators/keys.js';
import { TelegramEmulator } from '../emulators/telegram/emulator.js';
import { WechatpayEmulator } from '../emulators/wechatpay.js';
import { freePort } from '../support/redis.js';
import type { ChaosClock } from './chaos-clock.js';

export type Method = 'alipay' | 'wechatpay' | 'stars';
export const methods: readonly Method[] = ['alipay', 'wechatpay', 'stars'];

const alipayIds = { appId: '2021000100000001', sellerId: '2088000100000001' };
const wechatpayIds = { mchId: '1900000001', appId: 'wx0000000000000001' };
const apiV3Key = '0123456789abcdef0123456789ABCDEF';
/** Notifications come at once or up to this late, real ms: they overtake each other. */
const notifyDelayMs = 1_500;

export type Providers = Awaited<ReturnType<typeof startProviders>>;

/** All three providers with bad days: faults in calls, notifications lost, doubled and late. */
export async function startProviders(clock: ChaosClock, random: Random, dir: string) {
  let skewMs = 0;
  let faults = 0;
  const now = () => clock.now() + skewMs;
  const notifier = {
    retryMs: [150, 600, 2_000],
    fate: () => (random.chance(0.35) ? 'lose' : random.chance(0.2) ? 'duplicate' : 'deliver'),
    delayMs: () => (random.chance(0.5) ? 0 : random.between(0, notifyDelayMs)),
  } as const;
  const app = rsaPair();
  const alipayKeys = rsaPair();
  const merchant = certified('merchant');
  const options = {
    alipay: { ...alipayIds, appPublicKey: app.public, keys: alipayKeys, now, notifier },
    wechatpay: {
      ...{ ...wechatpayIds, apiV3Key, now, notifier, platform: certified('platform') },
      merchantSerial: merchant.serial,
      merchantPublicKey: merchant.public,
    },
  };
  const alipay = await AlipayEmulator.start(options.alipay);
  const wechatpay = await WechatpayEmulator.start(options.wechatpay);
  const telegram = await TelegramEmulator.start({ now, port: await freePort() });
  // Somebody with keys of their own who says what they would say.
  const forgers = {
    alipay: await AlipayEmulator.start({ ...options.alipay, keys: rsaPair() }),
    wechatpay: await WechatpayEmulator.start({
      ...options.wechatpay,
      apiV3Key: [...apiV3Key].reverse().join(''),
      platform: certified('forger'),
    }),
  };
  const file = (name: string, text: string) => {
    const full = path.join(dir, name);
    writeFileSync(full, text, { mode: 0o600 });
    return full;
  };
  const environment: Record<string, string> = {
    ALIPAY_APP_ID: alipayIds.appId,
    ALIPAY_SELLER_ID: alipayIds.sellerId,
    ALIPAY_PRIVATE_KEY_FILE: file('app.pem', app.privatePkcs8),
    ALIPAY_PUBLIC_KEY_FILE: file('alipay.pub', alipayKeys.public),
    ALIPAY_GATEWAY: alipay.gatewayUrl,
    HUANCAI_ALIPAY_TIMEOUT_MS: '3000',
    WECHATPAY_MCH_ID: wechatpayIds.mchId,
    WECHATPAY_APP_ID: wechatpayIds.appId,
    WECHATPAY_SERIAL: merchant.serial,
    WECHATPAY_PRIVATE_KEY_FILE: file('apiclient_key.pem', merchant.privatePkcs8),
    WECHATPAY_CERT_FILE: file('apiclient_cert.pem', merchant.certificate),
    WECHATPAY_API_V3_KEY: apiV3Key,
    WECHATPAY_BASE_URL: wechatpay.url,
    HUANCAI_WECHATPAY_TIMEOUT_MS: '3000',
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
  };
  const everywhere = (plan: FaultPlan) => {
    for (const one of [alipay, wechatpay]) one.faults = plan;
    telegram.faults = (what, no) => (/Invoice|Star/.test(what) ? plan(what, no) : undefined);
  };
  return {
    ...{ alipay, wechatpay, telegram, forgers, environment, now },
    /** @param share of calls that fail, each in a way of chance. */
    misbehave: (share: number) => {
      const pick = () => allFaults[Math.floor(random.next() * allFaults.length)];
      everywhere(() => {
        if (!random.chance(share)) return undefined;
        faults += 1;
        return pick();
      });
    },
    /** Calls that failed so far. */
    faults: () => faults,
    behave: () => {
      everywhere(noFaults);
      skewMs = 0;
    },
    /** Their clocks go wrong: beyond five minutes nobody's signature is fresh. */
    skew: (ms: number) => {
      skewMs = ms;
    },
    close: async () => {
      const all = [alipay, wechatpay, telegram, forgers.alipay, forgers.wechatpay];
      await Promise.all(all.map((one) => one.close()));
    },
  };
}

/** What a provider believes about one of our numbers. */
export interface ProviderTrade {
  readonly method: Method;
  readonly outTradeNo: string;
  readonly askedMinor: number;
  readonly expiresAtMs: number;
  readonly paidMinor: number;
  readonly refundedMinor: number;
}

export function tradesAt({ alipay, wechatpay, telegram }: Providers): ProviderTrade[] {
  const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
  const paid = (t: { paidAtMs?: number; paidFen?: number; amountFen: number }) =>
    t.paidAtMs ? (t.paidFen ?? t.amountFen) : 0;
  const base = (method: Method) => (t: { outTradeNo: string; amountFen: number }) => ({
    ...{ method, outTradeNo: t.outTradeNo, askedMinor: t.amountFen },
  });
  const stars = [...telegram.invoices.values()].map(({ payload, amount }) => {
    const sale = telegram.stars.find((t) => t.source?.['invoice_payload'] === payload);
    const back = telegram.stars.find((t) => t.receiver && t.id === sale?.id);
    return {
      ...{ method: 'stars' as const, outTradeNo: payload, askedMinor: amount },
      ...{ expiresAtMs: Number.POSITIVE_INFINITY, paidMinor: sale?.amount ?? 0 },
      refundedMinor: back?.amount ?? 0,
    };
  });
  return [
    ...[...alipay.trades.values()].map((t) => ({
      ...{ ...base('alipay')(t), expiresAtMs: t.expiresAtMs, paidMinor: paid(t) },
      refundedMinor: sum([...t.refunds.values()].map((one) => one.fen)),
    })),
    ...[...wechatpay.trades.values()].map((t) => ({
      ...{ ...base('wechatpay')(t), expiresAtMs: t.expiresAtMs, paidMinor: paid(t) },
      refundedMinor: sum(
        [...t.refunds.values()].filter((r) => r.status === 'SUCCESS').map((one) => one.fen),
      ),
    })),
    ...stars,
  ];
}
