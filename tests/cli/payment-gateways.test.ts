import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/cli/config.js';
import { openGateways } from '../../src/cli/payments/gateways.js';
import { certified } from '../emulators/keys.js';

const clock = { now: () => Date.now() };

describe('payment gateways from settings', () => {
  let dir: string;
  const file = (name: string, text: string, mode = 0o600): string => {
    const full = path.join(dir, name);
    writeFileSync(full, text, { mode });
    chmodSync(full, mode);
    return full;
  };
  const open = (env: Record<string, string>, publicUrl?: string) =>
    openGateways({ clock }, loadConfig({ HUANCAI_DATA_DIR: dir, ...env }), publicUrl, undefined);

  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'huancai-gateways-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('nothing configured: no real gateway', () => {
    expect(open({})).toEqual([]);
  });

  test('complete settings open Alipay in both modes and WeChat Pay in both modes', () => {
    const keys = certified('x');
    const key = file('key.pem', keys.privatePkcs8);
    const cert = file('cert.pem', keys.certificate, 0o644);
    const alipay = {
      ALIPAY_APP_ID: '2021000100000001',
      ALIPAY_SELLER_ID: '2088000100000001',
      ALIPAY_PRIVATE_KEY_FILE: key,
    };
    const wechatpay = {
      WECHATPAY_MCH_ID: '1900000001',
      WECHATPAY_APP_ID: 'wx0123456789abcdef',
      WECHATPAY_SERIAL: keys.serial.toLowerCase(),
      WECHATPAY_PRIVATE_KEY_FILE: key,
      WECHATPAY_CERT_FILE: cert,
      WECHATPAY_API_V3_KEY: '0123456789abcdef0123456789abcdef',
    };
    const theirs = certified('theirs').public;
    const ids = (env: Record<string, string>) => open(env, 'https://x.example').map((g) => g.id);
    expect(ids({ ...alipay, ALIPAY_PUBLIC_KEY_FILE: file('a.pub', theirs, 0o644) })).toEqual([
      'alipay',
    ]);
    expect(
      ids({
        ...alipay,
        ALIPAY_APP_CERT_FILE: cert,
        ALIPAY_ROOT_CERT_FILE: cert,
        ALIPAY_PUBLIC_CERT_FILE: cert,
      }),
    ).toEqual(['alipay']);
    expect(ids(wechatpay)).toEqual(['wechatpay']);
    expect(
      ids({
        ...wechatpay,
        WECHATPAY_PUBLIC_KEY_ID: 'PUB_KEY_ID_0119000000012026',
        WECHATPAY_PUBLIC_KEY_FILE: file('w.pub', theirs, 0o644),
      }),
    ).toEqual(['wechatpay']);
  });

  test('half-filled settings stop the start and name what is missing', () => {
    expect(() => open({ ALIPAY_APP_ID: '2021000100000001' })).toThrow(
      /ALIPAY_SELLER_ID, ALIPAY_PRIVATE_KEY_FILE, ALIPAY_PUBLIC_KEY_FILE/,
    );
    expect(() => open({ WECHATPAY_MCH_ID: '1900000001' })).toThrow(/WECHATPAY_APP_ID.*API_V3_KEY/);
  });

  test('keys that do not belong together are named before the first customer finds out', () => {
    const [mine, other] = [certified('mine'), certified('other')];
    const bare = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');
    const alipay = {
      ALIPAY_APP_ID: '2021000100000001',
      ALIPAY_SELLER_ID: '2088000100000001',
      ALIPAY_PRIVATE_KEY_FILE: file('own.txt', bare(mine.privatePkcs8)),
    };
    const wechatpay = {
      WECHATPAY_MCH_ID: '1900000001',
      WECHATPAY_APP_ID: 'wx0123456789abcdef',
      WECHATPAY_PRIVATE_KEY_FILE: file('own.pem', mine.privatePkcs8),
      WECHATPAY_API_V3_KEY: '0123456789abcdef0123456789abcdef',
    };
    const cert = (one: typeof mine) => file('cert.pem', one.certificate);
    const own = { ALIPAY_PUBLIC_KEY_FILE: file('own.pub', bare(mine.public)) };
    expect(() => open({ ...alipay, ...own })).toThrow(/your own public key/);
    expect(() => open({ ...alipay, ALIPAY_PUBLIC_KEY_FILE: file('x', 'no key') })).toThrow(
      /ALIPAY_PUBLIC_KEY_FILE: not a public key/,
    );
    expect(() => open({ ...alipay, ...own, ALIPAY_PRIVATE_KEY_FILE: file('y', 'no key') })).toThrow(
      /ALIPAY_PRIVATE_KEY_FILE: not an RSA private key/,
    );
    const certificates = {
      ALIPAY_APP_CERT_FILE: cert(other),
      ALIPAY_ROOT_CERT_FILE: file('root.crt', 'no certificate'),
      ALIPAY_PUBLIC_CERT_FILE: file('theirs.crt', other.certificate),
    };
    expect(() => open({ ...alipay, ...certificates })).toThrow(
      /ROOT_CERT_FILE: not a certificate[\s\S]*APP_CERT_FILE: does not belong/,
    );
    expect(() => open({ ...wechatpay, WECHATPAY_CERT_FILE: cert(other) })).toThrow(
      /WECHATPAY_CERT_FILE: does not belong to WECHATPAY_PRIVATE_KEY_FILE/,
    );
    const serial = { WECHATPAY_CERT_FILE: cert(mine), WECHATPAY_SERIAL: other.serial };
    expect(() => open({ ...wechatpay, ...serial })).toThrow(/WECHATPAY_SERIAL.*CERT_FILE/);
    // The number may be left out: the certificate has it.
    expect(open({ ...wechatpay, WECHATPAY_CERT_FILE: cert(mine) })).toHaveLength(1);
  });

  test('a private key that others may read is refused, with the command that mends it', () => {
    const key = file('open.pem', certified('y').privatePkcs8, 0o644);
    expect(() => open({ ALIPAY_PRIVATE_KEY_FILE: key })).toThrow(/chmod 600/);
  });

  test('malformed settings are all named', () => {
    expect(() =>
      open({ WECHATPAY_MCH_ID: 'abc', WECHATPAY_SERIAL: 'zz', WECHATPAY_API_V3_KEY: 'short' }),
    ).toThrow(/mchId[\s\S]*serial[\s\S]*apiV3Key|apiV3Key/);
  });
});
