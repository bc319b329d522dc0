import { createDecipheriv, createVerify, type KeyObject } from 'node:crypto';

/** Freshness of responses and notifications, both ways, as WeChat Pay demands. */
const freshnessMs = 300_000;
const tagBytes = 16;

/** The Wechatpay-* headers that sign an answer or a notification. */
export interface SignatureHeaders {
  readonly timestamp: string;
  readonly nonce: string;
  readonly serial: string;
  readonly signature: string;
}

/**
 * AEAD_AES_256_GCM of notifications and certificates, with the tag checked.
 * @throws {Error} when key, nonce, associated data or any byte does not fit.
 */
export function openResource(
  apiV3Key: string,
  resource: { ciphertext: string; nonce: string; associatedData: string },
): string {
  const sealed = Buffer.from(resource.ciphertext, 'base64');
  if (sealed.length < tagBytes) throw new Error('ciphertext is too short');
  const nonce = Buffer.from(resource.nonce, 'utf8');
  if (nonce.length !== 12) throw new Error('nonce is not 12 bytes');
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(apiV3Key, 'utf8'), nonce, {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(resource.associatedData, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const opened = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  return Buffer.concat([opened, decipher.final()]).toString('utf8');
}

/**
 * Read the four signature headers. A missing, repeated or malformed one is undefined, and so is
 * one of WeChat Pay's probes, which must fail.
 */
export function signatureHeaders(
  header: (name: string) => string | string[] | null | undefined,
): SignatureHeaders | undefined {
  const one = (name: string, pattern: RegExp): string | undefined => {
    const value = header(name);
    return typeof value === 'string' && pattern.test(value) ? value : undefined;
  };
  const timestamp = one('wechatpay-timestamp', /^\d{10}$/);
  const nonce = one('wechatpay-nonce', /^[\x21-\x7e]{1,64}$/);
  const serial = one('wechatpay-serial', /^[A-Za-z0-9_]{8,64}$/);
  // Base64 only: a probe's "WECHATPAY/SIGNTEST/..." is not, and its padding is wrong as well.
  const signature = one('wechatpay-signature', /^[A-Za-z0-9+/]{300,900}={0,2}$/);
  if (!timestamp || !nonce || !serial || !signature) return undefined;
  if (signature.startsWith('WECHATPAY/SIGNTEST/')) return undefined;
  return { timestamp, nonce, serial, signature };
}

/** SHA256-RSA over `timestamp\nnonce\nbody\n`. */
export function verifySignature(
  key: KeyObject,
  headers: SignatureHeaders,
  body: Uint8Array,
): boolean {
  const verify = createVerify('RSA-SHA256');
  verify.update(`${headers.timestamp}\n${headers.nonce}\n`);
  verify.update(body);
  verify.update('\n');
  return verify.verify(key, headers.signature, 'base64');
}

/** Whether a signature was made within five minutes of now. @param timestamp seconds, as text. */
export function isFresh(timestamp: string, nowMs: number): boolean {
  return Math.abs(nowMs - Number(timestamp) * 1000) <= freshnessMs;
}
