import { z } from 'zod';
import { setting } from './setting.js';

const text = () => z.string().min(1).nullable();
const pem = 'the text of a PEM file; or name the file in the variable with _FILE';

/**
 * Payment providers. A provider is on when its settings are complete; a half-filled one stops the
 * start and names what is missing (see cli/payments/gateways.ts).
 */
export const paymentSections = {
  alipay: z.strictObject({
    appId: setting(text(), { example: '2021000100000001', env: 'ALIPAY_APP_ID' }),
    sellerId: setting(text(), { example: '2088000100000001', env: 'ALIPAY_SELLER_ID' }),
    privateKey: setting(text(), { example: pem, env: 'ALIPAY_PRIVATE_KEY', secret: true }),
    publicKey: setting(text(), {
      example: pem,
      env: 'ALIPAY_PUBLIC_KEY',
      secret: true,
      shared: true,
    }),
    appCert: setting(text(), { example: pem, env: 'ALIPAY_APP_CERT', secret: true, shared: true }),
    rootCert: setting(text(), {
      example: pem,
      env: 'ALIPAY_ROOT_CERT',
      secret: true,
      shared: true,
    }),
    publicCert: setting(text(), {
      example: pem,
      env: 'ALIPAY_PUBLIC_CERT',
      secret: true,
      shared: true,
    }),
    gateway: setting(z.url().nullable(), {
      example: 'https://openapi-sandbox.dl.alipaydev.com/gateway.do',
      env: 'ALIPAY_GATEWAY',
    }),
    timeoutMs: setting(z.int().min(1_000).max(60_000), { example: '8000' }),
  }),
  wechatpay: z.strictObject({
    mchId: setting(
      z
        .string()
        .regex(/^\d{8,10}$/)
        .nullable(),
      { example: '"1900000001"', env: 'WECHATPAY_MCH_ID' },
    ),
    appId: setting(
      z
        .string()
        .regex(/^wx[0-9a-f]{16}$/)
        .nullable(),
      { example: 'wx0123456789abcdef', env: 'WECHATPAY_APP_ID' },
    ),
    serial: setting(
      z
        .string()
        .regex(/^[0-9A-Fa-f]{16,64}$/)
        .nullable(),
      { example: '3775B6A45ACD588826D15E583A95F5DD00000000', env: 'WECHATPAY_SERIAL' },
    ),
    privateKey: setting(text(), { example: pem, env: 'WECHATPAY_PRIVATE_KEY', secret: true }),
    cert: setting(text(), { example: pem, env: 'WECHATPAY_CERT', secret: true, shared: true }),
    apiV3Key: setting(z.string().length(32).nullable(), {
      example: '32 characters, set in the merchant console',
      env: 'WECHATPAY_API_V3_KEY',
      secret: true,
    }),
    publicKeyId: setting(
      z
        .string()
        .regex(/^PUB_KEY_ID_\d+$/)
        .nullable(),
      { example: 'PUB_KEY_ID_0119000000012026', env: 'WECHATPAY_PUBLIC_KEY_ID' },
    ),
    publicKey: setting(text(), {
      example: pem,
      env: 'WECHATPAY_PUBLIC_KEY',
      secret: true,
      shared: true,
    }),
    baseUrl: setting(z.url().nullable(), {
      example: 'https://api2.mch.weixin.qq.com',
      env: 'WECHATPAY_BASE_URL',
    }),
    timeoutMs: setting(z.int().min(1_000).max(60_000), { example: '8000' }),
  }),
};
