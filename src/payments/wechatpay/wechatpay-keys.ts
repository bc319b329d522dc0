import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { GatewayRefused } from '../../studio/errors/index.js';
import type { Clock } from '../../studio/ports/basics.js';
import type { WechatpayConfig } from './wechatpay-config.js';
import { openResource } from './wechatpay-crypto.js';

/** An unknown serial may be a rotated certificate or an attacker: ask at most this often. */
const refreshIntervalMs = 60_000;
/** Platform certificates change every few years, with both valid for a while. */
const maxAgeMs = 12 * 3_600_000;

/** A platform certificate as the API sends it: sealed with the APIv3 key (AES-256-GCM). */
export interface SealedCertificate {
  readonly serial_no: string;
  readonly encrypt_certificate: {
    readonly ciphertext: string;
    readonly nonce: string;
    readonly associated_data: string;
  };
}

/**
 * Keys that verify WeChat Pay's signatures, by serial number or public-key id. With a public key
 * set up, platform certificates are accepted too: while WeChat moves a merchant from one to the
 * other, which takes days, it signs with either.
 */
export interface WechatpayKeys {
  /** The public key of the settings, by its id. */
  configured(serial: string): KeyObject | undefined;
  /** @returns undefined when WeChat Pay knows no such key. */
  find(serial: string): Promise<KeyObject | undefined>;
  /** Goes into the Wechatpay-Serial header of requests, so that WeChat answers with that key. */
  readonly requestSerial: string | undefined;
  /**
   * Opens downloaded certificates and puts them in use; only called for an answer that one of
   * them then verifies.
   */
  open(certificates: readonly SealedCertificate[]): Map<string, KeyObject>;
}

/** @param download GET /v3/certificates: verified by the transport with its own content. */
export function createWechatpayKeys(
  deps: { clock: Clock; download: () => Promise<Map<string, KeyObject>> },
  config: Pick<WechatpayConfig, 'verifier' | 'apiV3Key'>,
): WechatpayKeys {
  const { verifier } = config;
  const own =
    verifier.mode === 'publicKey'
      ? new Map([[verifier.publicKeyId, createPublicKey(verifier.publicKey)]])
      : new Map<string, KeyObject>();
  let keys = new Map<string, KeyObject>();
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    askedAtMs = deps.clock.now();
    keys = await deps.download();
    loadedAtMs = deps.clock.now();
  }

  /** One download serves all who wait. */
  function refresh(): Promise<void> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  return {
    requestSerial: verifier.mode === 'publicKey' ? verifier.publicKeyId : undefined,
    configured: (serial) => own.get(serial),
    async find(serial) {
      if (own.has(serial)) return own.get(serial);
      // Another public key's id: nobody gives those keys out, the operator must.
      if (serial.startsWith('PUB_KEY_ID_')) return undefined;
      const now = deps.clock.now();
      const stale = now - loadedAtMs > maxAgeMs;
      if ((stale || !keys.has(serial)) && (loading || now - askedAtMs >= refreshIntervalMs)) {
        try {
          await refresh();
        } catch (error) {
          // A known key stays good while the download is away. A merchant who has only ever had a
          // public key has no certificates: a verified no, and the serial is unknown.
          if (!keys.has(serial) && !(error instanceof GatewayRefused)) throw error;
        }
      }
      return keys.get(serial);
    },
    open: (certificates) => openCertificates(config.apiV3Key, certificates, deps.clock.now()),
  };
}

function openCertificates(
  apiV3Key: string,
  certificates: readonly SealedCertificate[],
  nowMs: number,
): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const { encrypt_certificate: sealed } of certificates) {
    const pem = openResource(apiV3Key, {
      ciphertext: sealed.ciphertext,
      nonce: sealed.nonce,
      associatedData: sealed.associated_data,
    });
    const certificate = new X509Certificate(pem);
    const valid =
      Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
    // The serial is the certificate's own word, not the JSON's.
    if (valid) keys.set(certificate.serialNumber.toUpperCase(), certificate.publicKey);
  }
  return keys;
}
