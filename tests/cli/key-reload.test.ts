import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/cli/config.js';
import { openGateways } from '../../src/cli/payments/gateways.js';
import { createKeyReloadDuty, renewable } from '../../src/cli/payments/key-reload.js';
import { certified } from '../emulators/keys.js';
import { WechatpayEmulator } from '../emulators/wechatpay.js';
import { wallClock as clock, keepingLogger } from '../support/quiet.js';

const ids = { mchId: '1900000001', appId: 'wx0123456789abcdef' };
const apiV3Key = '0123456789abcdef0123456789ABCDEF';
const platform = certified('platform');
let dir: string;
let emulator: WechatpayEmulator;
const file = (name: string, text: string, mode = 0o600) => {
  const full = path.join(dir, name);
  writeFileSync(full, text);
  chmodSync(full, mode);
  return full;
};
/** WeChat Pay, which knows the merchant by this certificate. */
const wechatpay = (merchant: ReturnType<typeof certified>, port?: number) =>
  WechatpayEmulator.start({
    ...{ ...ids, apiV3Key, platform, port },
    ...{ merchantSerial: merchant.serial, merchantPublicKey: merchant.public },
  });

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'huancai-reload-'));
});
afterAll(async () => {
  await emulator.close();
  rmSync(dir, { recursive: true, force: true });
});

test('renewed merchant keys are taken up without a restart, never by halves', async () => {
  const [before, after] = [certified('merchant'), certified('merchant')];
  emulator = await wechatpay(before);
  const env = {
    HUANCAI_DATA_DIR: dir,
    WECHATPAY_MCH_ID: ids.mchId,
    WECHATPAY_APP_ID: ids.appId,
    WECHATPAY_PRIVATE_KEY_FILE: file('key.pem', before.privatePkcs8),
    WECHATPAY_CERT_FILE: file('cert.pem', before.certificate),
    WECHATPAY_API_V3_KEY: apiV3Key,
    WECHATPAY_BASE_URL: emulator.url,
  };
  const logger = keepingLogger();
  const open = () => openGateways({ clock }, loadConfig(env), undefined, undefined);
  const gateways = open().map(renewable);
  const duty = createKeyReloadDuty({ gateways, open, logger }, env);
  const [gateway] = gateways;
  expect((await gateway!.queryCharge('ch_nobody')).state).toBe('absent');
  expect(await duty.run()).toBe(0);

  // The merchant's certificate was renewed in the console: the old one is refused there.
  const { port } = new URL(emulator.url);
  await emulator.close();
  emulator = await wechatpay(after, Number(port));
  // The first question still goes down a connection that is gone.
  await gateway!.queryCharge('ch_nobody').catch(() => {});
  await expect(gateway!.queryCharge('ch_nobody')).rejects.toMatchObject({
    code: 'GATEWAY_REFUSED',
  });

  file('key.pem', after.privatePkcs8);
  expect(await duty.run()).toBe(0);
  const [said] = logger.lines as { event: string; fields?: { faults?: string[] } }[];
  expect(said?.event).toBe('payments.keysNotRenewed');
  expect(said?.fields?.faults).toEqual([
    'WECHATPAY_CERT_FILE: does not belong to WECHATPAY_PRIVATE_KEY_FILE',
  ]);
  file('cert.pem', after.certificate, 0o644);
  expect(await duty.run()).toBe(1);
  expect((await gateway!.queryCharge('ch_nobody')).state).toBe('absent');
  // Nothing changed: nothing is read again.
  expect(await duty.run()).toBe(0);

  file('key.pem', after.privatePkcs8, 0o644);
  expect(await duty.run()).toBe(0);
  expect(JSON.stringify(logger.lines.at(-1))).toMatch(/chmod 600/);
  expect(JSON.stringify(logger.lines)).not.toMatch(/BEGIN|[A-Za-z0-9+/]{80,}/);
});
