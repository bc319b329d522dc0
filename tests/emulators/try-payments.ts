import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AlipayEmulator } from './alipay.js';
import { certified, rsaPair } from './keys.js';
import { WechatpayEmulator } from './wechatpay.js';

/**
 * `npm run try:payments`: a studio with Alipay and WeChat Pay, both emulated. The QR codes are
 * addresses of this machine: open one in a browser and press Pay. Settings of the environment win,
 * so `PUBLIC_URL=` blocks notifications and polling must find the money.
 */
async function main(): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-try-'));
  const port = Number(process.env['PORT'] ?? 8080);
  const alipayIds = { appId: '2021000100000001', sellerId: '2088000100000001' };
  const wechatpayIds = { mchId: '1900000001', appId: 'wx0000000000000001' };
  const apiV3Key = 'emulated-api-v3-key-of-32-bytes!';
  const [app, alipayKeys, merchant] = [rsaPair(), rsaPair(), certified('merchant')];
  const notifier = { retryMs: [4_000, 15_000, 60_000], fate: () => 'deliver' as const };
  const alipay = await AlipayEmulator.start({
    ...{ ...alipayIds, appPublicKey: app.public, keys: alipayKeys, notifier },
    port: Number(process.env['TRY_ALIPAY_PORT'] ?? 8091),
  });
  const wechatpay = await WechatpayEmulator.start({
    ...{ ...wechatpayIds, apiV3Key, notifier, platform: certified('platform') },
    merchantSerial: merchant.serial,
    merchantPublicKey: merchant.public,
    port: Number(process.env['TRY_WECHATPAY_PORT'] ?? 8092),
  });
  const file = (name: string, text: string) => {
    writeFileSync(path.join(dir, name), text, { mode: 0o600 });
    return path.join(dir, name);
  };
  const studio = spawn(
    process.execPath,
    [path.resolve(__dirname, '../../dist/cli/main.js'), 'serve'],
    {
      env: {
        HUANCAI_DATA_DIR: path.join(dir, 'data'),
        PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        ...process.env,
        ALIPAY_APP_ID: alipayIds.appId,
        ALIPAY_SELLER_ID: alipayIds.sellerId,
        ALIPAY_PRIVATE_KEY_FILE: file('app.pem', app.privatePkcs8),
        ALIPAY_PUBLIC_KEY_FILE: file('alipay.pub', alipayKeys.public),
        ALIPAY_GATEWAY: alipay.gatewayUrl,
        WECHATPAY_MCH_ID: wechatpayIds.mchId,
        WECHATPAY_APP_ID: wechatpayIds.appId,
        WECHATPAY_PRIVATE_KEY_FILE: file('apiclient_key.pem', merchant.privatePkcs8),
        WECHATPAY_CERT_FILE: file('apiclient_cert.pem', merchant.certificate),
        WECHATPAY_API_V3_KEY: apiV3Key,
        WECHATPAY_BASE_URL: wechatpay.url,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  console.log(`Alipay is emulated at ${alipay.url}, WeChat Pay at ${wechatpay.url}.`);
  console.log(
    'A QR code is an address there: open it, press Pay. Ctrl-C ends it, nothing is kept.',
  );
  const end = () => studio.kill('SIGTERM');
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  studio.once('exit', async (code) => {
    await Promise.all([alipay.close(), wechatpay.close()]);
    rmSync(dir, { recursive: true, force: true });
    process.exit(code ?? 0);
  });
}

void main();
