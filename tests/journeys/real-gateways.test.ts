import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { methodTexts } from '../../src/web/app/src/texts/methods';
import { zhCn } from '../../src/web/app/src/texts/zh-cn';
import type { GatewayStand } from '../contracts/gateway-contract.js';
import { alipayStand, wechatpayStand } from '../payments/stands.js';
import { openBrowser, openPage, screens } from '../support/browser.js';
import { freePort } from '../support/redis.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const pictures =
  process.env.HUANCAI_SCREENSHOTS ?? mkdtempSync(path.join(os.tmpdir(), 'huancai-screens-'));
const phone = { ...screens.phone, locale: 'zh-CN', reducedMotion: 'reduce' } as const;
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** A shop with both providers; `heard`: whether their notifications reach it. */
async function openShop(heard: boolean) {
  const port = await freePort();
  const at = (name: string) => (heard ? `http://127.0.0.1:${port}/notify/${name}` : undefined);
  const alipay = await alipayStand({ notifyUrl: at('alipay') });
  const wechatpay = await wechatpayStand({
    notifyUrl: at('wechatpay') ?? 'http://127.0.0.1:9/notify/wechatpay',
  });
  const stack = await startWebStack({
    port,
    gateways: [alipay.gateway, wechatpay.gateway],
    studio: { methods: { web: ['alipay', 'wechatpay'], telegram: [], wechat: [] } },
    colorizer: createSepiaColorizer(),
  });
  const close = async () => {
    await stack.close();
    await Promise.all([alipay.close(), wechatpay.close()]);
  };
  return { stack, stands: { alipay, wechatpay }, close };
}

/** A customer buys a pack and opens the pay page of the order. */
async function buy(stack: WebStack, method: 'alipay' | 'wechatpay') {
  const { page, complaints } = await openPage(browser, phone);
  await page.goto(stack.url);
  await page.getByRole('button', { name: '0 点' }).click();
  await page.getByRole('radio', { name: methodTexts['zh-CN'][method].name }).check();
  const bought = page.waitForResponse((response) => response.url().endsWith('/me/topups'));
  await page.getByRole('button', { name: /^10 点/ }).click();
  const { order } = await (await bought).json();
  await page.goto(order.payUrl);
  await page.getByRole('img', { name: zhCn['pay.scan'] }).waitFor();
  return { page, order, complaints };
}

/** The customer scans the code and pays in the provider's app. */
async function payOutside(stack: WebStack, stand: GatewayStand, orderId: string): Promise<void> {
  const charge = await stack.store.read.charges.ofOrder(orderId);
  stand.scan(charge!.id);
  expect(await stand.pay(charge!.id)).toBe(true);
}

test.each(['alipay', 'wechatpay'] as const)(
  'the pay page notices a payment with %s',
  async (method) => {
    const { stack, stands, close } = await openShop(true);
    const { page, order, complaints } = await buy(stack, method);
    if (method === 'wechatpay') await page.getByText(methodTexts['zh-CN'].wechatpay.scan).waitFor();
    else {
      const app = page.getByRole('link', { name: methodTexts['zh-CN'].alipay.open });
      expect(await app.getAttribute('href')).toMatch(/^alipays:\/\/platformapi\/startapp/);
    }
    expect(await page.getByText(zhCn['pay.sandbox'], { exact: true }).count()).toBe(0);
    await page.screenshot({ path: path.join(pictures, `pay-${method}.png`) });
    await payOutside(stack, stands[method], order.id);
    await page.getByText(zhCn['pay.paid'], { exact: true }).waitFor({ timeout: 30_000 });
    expect(complaints).toEqual([]);
    // Nobody but the provider can pay this order.
    const forged = await fetch(order.payUrl, { method: 'POST' });
    expect(forged.status).toBe(409);
    await close();
  },
  90_000,
);

test.each(['alipay', 'wechatpay'] as const)(
  'without notifications a payment with %s is found by asking',
  async (method) => {
    const { stack, stands, close } = await openShop(false);
    const { page, order } = await buy(stack, method);
    await payOutside(stack, stands[method], order.id);
    // Asking is the shop's business; the button only makes it sooner.
    if (method === 'alipay') await page.getByRole('button', { name: zhCn['pay.check'] }).click();
    await page.getByText(zhCn['pay.paid'], { exact: true }).waitFor({ timeout: 45_000 });
    await page.goto(stack.url);
    await page.getByRole('button', { name: '10 点' }).waitFor();
    await until(async () => {
      const { credits } = await stack.studio.profile(
        (await stack.store.read.orders.find(order.id))!.customerId,
      );
      return credits === 10;
    });
    await close();
  },
  120_000,
);
