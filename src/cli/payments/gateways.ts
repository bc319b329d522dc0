import { createAlipayGateway } from '../../payments/alipay/alipay-gateway.js';
import { createStarsGateway } from '../../payments/stars/stars-gateway.js';
import { createWechatpayGateway } from '../../payments/wechatpay/wechatpay-gateway.js';
import type { Clock } from '../../studio/ports/basics.js';
import {
  type PaymentGateway,
  type ProviderId,
  type ProviderSection,
  providerIds,
} from '../../studio/ports/gateway.js';
import type { Config } from '../config.js';
import { ConfigFaulty } from '../errors.js';
import { alipayKeyFaults, serialOf, wechatpayKeyFaults } from './key-faults.js';

export interface TelegramAccess {
  readonly token: string;
  readonly apiRoot?: string;
}

/**
 * The real gateways whose settings are complete. One that is begun but not finished stops the
 * start: a shop that believes it takes money must take it.
 * @param publicUrl address under which providers reach us; undefined: polling settles everything.
 * @throws {ConfigFaulty} naming each missing setting.
 */
export function openGateways(
  deps: { clock: Clock },
  config: PaymentSettings,
  publicUrl: string | undefined,
  telegram: TelegramAccess | undefined,
): PaymentGateway[] {
  const faults: string[] = [];
  const gateways = providerIds.map((id) => {
    const notifyUrl = publicUrl ? new URL(`/notify/${id}`, publicUrl).href : undefined;
    return openers[id](config, { ...deps, notifyUrl, telegram, faults });
  });
  if (faults.length > 0) throw new ConfigFaulty(faults);
  return gateways.filter((gateway) => gateway !== undefined);
}

/** The sections of all providers; one without a section does not compile. */
type PaymentSettings = Pick<Config, ProviderSection>;

interface OpenParts {
  readonly clock: Clock;
  /** Where the provider's notifications reach us. */
  readonly notifyUrl: string | undefined;
  readonly telegram: TelegramAccess | undefined;
  /** Takes what stops the start. */
  readonly faults: string[];
}

/** @returns undefined: not set up, or a fault was added. */
type Open = (config: PaymentSettings, parts: OpenParts) => PaymentGateway | undefined;

const openers: Readonly<Record<ProviderId, Open>> = {
  alipay: ({ alipay }, parts) => openAlipay(parts, alipay, parts.notifyUrl, parts.faults),
  wechatpay: ({ wechatpay }, parts) =>
    openWechatpay(parts, wechatpay, parts.notifyUrl, parts.faults),
  stars: (_config, { telegram }) => telegram && createStarsGateway(telegram),
};

function openAlipay(
  deps: { clock: Clock },
  settings: Config['alipay'],
  notifyUrl: string | undefined,
  faults: string[],
): PaymentGateway | undefined {
  const { appId, sellerId, privateKey, publicKey, appCert, rootCert, publicCert } = settings;
  if (!begun([appId, sellerId, privateKey, publicKey, appCert, rootCert, publicCert]))
    return undefined;
  const certificates = Boolean(appCert || rootCert || publicCert);
  const missing = missingOf({
    ALIPAY_APP_ID: appId,
    ALIPAY_SELLER_ID: sellerId,
    ALIPAY_PRIVATE_KEY_FILE: privateKey,
    ...(certificates
      ? {
          ALIPAY_APP_CERT_FILE: appCert,
          ALIPAY_ROOT_CERT_FILE: rootCert,
          ALIPAY_PUBLIC_CERT_FILE: publicCert,
        }
      : { ALIPAY_PUBLIC_KEY_FILE: publicKey }),
  });
  if (missing) {
    faults.push(`Alipay is only half set up; still missing: ${missing} (docs/payments/alipay.md)`);
    return undefined;
  }
  const wrong = alipayKeyFaults({ ...settings, privateKey: privateKey! });
  faults.push(...wrong);
  if (wrong.length > 0) return undefined;
  return createAlipayGateway(deps, {
    appId: appId!,
    sellerId: sellerId!,
    privateKey: privateKey!,
    keys: certificates
      ? { mode: 'certificate', appCert: appCert!, rootCert: rootCert!, alipayCert: publicCert! }
      : { mode: 'publicKey', alipayPublicKey: publicKey! },
    gatewayUrl: settings.gateway ?? undefined,
    notifyUrl,
    timeoutMs: settings.timeoutMs,
  });
}

function openWechatpay(
  deps: { clock: Clock },
  settings: Config['wechatpay'],
  notifyUrl: string | undefined,
  faults: string[],
): PaymentGateway | undefined {
  const { mchId, appId, serial, privateKey, cert, apiV3Key, publicKeyId, publicKey } = settings;
  if (!begun([mchId, appId, serial, privateKey, cert, apiV3Key, publicKeyId, publicKey]))
    return undefined;
  const usesPublicKey = Boolean(publicKeyId || publicKey);
  const missing = missingOf({
    WECHATPAY_MCH_ID: mchId,
    WECHATPAY_APP_ID: appId,
    WECHATPAY_PRIVATE_KEY_FILE: privateKey,
    WECHATPAY_CERT_FILE: cert,
    WECHATPAY_API_V3_KEY: apiV3Key,
    ...(usesPublicKey
      ? { WECHATPAY_PUBLIC_KEY_ID: publicKeyId, WECHATPAY_PUBLIC_KEY_FILE: publicKey }
      : {}),
  });
  if (missing) {
    const page = 'docs/payments/wechatpay.md';
    faults.push(`WeChat Pay is only half set up; still missing: ${missing} (${page})`);
    return undefined;
  }
  const wrong = wechatpayKeyFaults({ serial, publicKey, privateKey: privateKey!, cert: cert! });
  faults.push(...wrong);
  if (wrong.length > 0) return undefined;
  return createWechatpayGateway(deps, {
    mchId: mchId!,
    appId: appId!,
    // Without the setting a renewed certificate brings its number along.
    serial: serial?.toUpperCase() ?? serialOf(cert!)!,
    privateKey: privateKey!,
    certificate: cert!,
    apiV3Key: apiV3Key!,
    verifier: usesPublicKey
      ? { mode: 'publicKey', publicKeyId: publicKeyId!, publicKey: publicKey! }
      : { mode: 'certificate' },
    baseUrl: settings.baseUrl ?? undefined,
    notifyUrl,
    timeoutMs: settings.timeoutMs,
  });
}

function begun(values: readonly (string | null)[]): boolean {
  return values.some(Boolean);
}

function missingOf(settings: Record<string, string | null>): string {
  return Object.keys(settings)
    .filter((name) => !settings[name])
    .join(', ');
}
