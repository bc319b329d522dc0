import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

/** PEM, or the bare base64 that Alipay's key tool writes. */
function readPrivate(text: string): KeyObject | undefined {
  if (text.includes('-----BEGIN')) return attempt(() => createPrivateKey(text));
  const key = Buffer.from(text.replace(/\s+/g, ''), 'base64');
  return (
    attempt(() => createPrivateKey({ key, format: 'der', type: 'pkcs1' })) ??
    attempt(() => createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  );
}

function readPublic(text: string): KeyObject | undefined {
  if (text.includes('-----BEGIN')) return attempt(() => createPublicKey(text));
  const key = Buffer.from(text.replace(/\s+/g, ''), 'base64');
  return attempt(() => createPublicKey({ key, format: 'der', type: 'spki' }));
}

/** The root certificate file holds several: the first decides whether it is one at all. */
function readCertificate(text: string): X509Certificate | undefined {
  return attempt(() => new X509Certificate(text));
}

/** Serial number of a certificate, upper-case hex, as WeChat Pay's console shows it. */
export function serialOf(certificate: string): string | undefined {
  return readCertificate(certificate)?.serialNumber.toUpperCase();
}

/** The mistakes that cost merchants most time, found without asking anybody. */
export function alipayKeyFaults(keys: {
  readonly privateKey: string;
  readonly publicKey?: string | null;
  readonly appCert?: string | null;
  readonly rootCert?: string | null;
  readonly publicCert?: string | null;
}): string[] {
  const own = readPrivate(keys.privateKey);
  if (!own) return ['ALIPAY_PRIVATE_KEY_FILE: not an RSA private key'];
  const faults: string[] = [];
  const certificate = (name: string, text: string | null | undefined) => {
    const read = text ? readCertificate(text) : undefined;
    if (text && !read) faults.push(`${name}: not a certificate`);
    return read;
  };
  const app = certificate('ALIPAY_APP_CERT_FILE', keys.appCert);
  certificate('ALIPAY_ROOT_CERT_FILE', keys.rootCert);
  certificate('ALIPAY_PUBLIC_CERT_FILE', keys.publicCert);
  if (app && !app.checkPrivateKey(own))
    faults.push('ALIPAY_APP_CERT_FILE: does not belong to ALIPAY_PRIVATE_KEY_FILE');
  if (!keys.publicKey) return faults;
  const theirs = readPublic(keys.publicKey);
  if (!theirs) faults.push('ALIPAY_PUBLIC_KEY_FILE: not a public key');
  else if (theirs.equals(createPublicKey(own)))
    faults.push("ALIPAY_PUBLIC_KEY_FILE: is your own public key; Alipay's (支付宝公钥) is needed");
  return faults;
}

/** The same for WeChat Pay. */
export function wechatpayKeyFaults(keys: {
  readonly privateKey: string;
  readonly cert: string;
  readonly serial?: string | null;
  readonly publicKey?: string | null;
}): string[] {
  const own = readPrivate(keys.privateKey);
  const certificate = readCertificate(keys.cert);
  const faults: string[] = [];
  if (!own) faults.push('WECHATPAY_PRIVATE_KEY_FILE: not an RSA private key');
  if (!certificate) faults.push('WECHATPAY_CERT_FILE: not a certificate');
  if (own && certificate && !certificate.checkPrivateKey(own))
    faults.push('WECHATPAY_CERT_FILE: does not belong to WECHATPAY_PRIVATE_KEY_FILE');
  const plain = (hex: string | undefined) => hex?.toUpperCase().replace(/^0+/, '');
  const serial = plain(keys.serial ?? undefined);
  const its = plain(certificate?.serialNumber);
  if (serial && its && serial !== its)
    faults.push(`WECHATPAY_SERIAL: is not the number of WECHATPAY_CERT_FILE (${its})`);
  if (keys.publicKey && !readPublic(keys.publicKey))
    faults.push('WECHATPAY_PUBLIC_KEY_FILE: not a public key');
  return faults;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
