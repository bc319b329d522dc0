import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { en } from '../../src/web/app/src/texts/en';
import { zhCn } from '../../src/web/app/src/texts/zh-cn';
import { openBrowser, openPage, screens } from '../support/browser.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const photo = path.join(packageRoot, 'assets/demo/photographer.jpg');
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-journey-'));
const pictures = process.env.HUANCAI_SCREENSHOTS ?? dir;

let stack: WebStack;
let browser: Browser;

beforeAll(async () => {
  stack = await startWebStack();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await stack?.close();
});

const shoot = (page: Page, name: string) =>
  page.screenshot({ path: path.join(pictures, `${name}.png`) });
const phone = { ...screens.phone, locale: 'en', reducedMotion: 'reduce' } as const;
const desktop = { ...screens.desktop, locale: 'en', reducedMotion: 'reduce' } as const;

async function sendPhotos(page: Page, files: string[]): Promise<void> {
  await page.goto(stack.url);
  await page.locator('input[name=photo]').setInputFiles(files);
  const sliders = page.getByRole('slider', { name: en['photo.compare'] });
  await sliders.nth(files.length - 1).waitFor({ timeout: 90_000 });
}

test('another look and other colours, chosen by keyboard', async () => {
  const { page, complaints } = await openPage(browser, desktop);
  await sendPhotos(page, [photo]);
  await page.getByRole('button', { name: en['action.another'] }).click();
  const third = page.getByRole('button', { name: 'Choose look 3' });
  await third.and(page.locator(':enabled')).waitFor({ timeout: 60_000 });
  await third.focus();
  await page.keyboard.press('Enter');
  await page.locator('.look[aria-pressed=true]', { hasText: '3' }).waitFor();

  await page.getByRole('button', { name: en['action.adjust'] }).click();
  const strength = page.getByRole('slider', { name: en['adjust.strength'] });
  await strength.focus();
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('ArrowRight');
  await shoot(page, 'adjust');
  await page.getByRole('button', { name: en['adjust.apply'] }).click();
  await page.getByRole('button', { name: 'Choose look 5' }).waitFor({ timeout: 60_000 });
  // What was adjusted is shown at once.
  await page.locator('.look[aria-pressed=true]', { hasText: '5' }).waitFor({ timeout: 60_000 });
  await shoot(page, 'looks');
  const handle = page.getByRole('slider', { name: en['photo.compare'] });
  await handle.focus();
  await page.keyboard.press('End');
  expect(await handle.inputValue()).toBe('100');
  expect(complaints).toEqual([]);
}, 120_000);

test('several at once, one of them broken: the others arrive, the broken one says why', async () => {
  const broken = path.join(dir, 'holiday-1962.jpg');
  writeFileSync(broken, readFileSync(photo).subarray(0, 900));
  const small = path.join(dir, 'small.png');
  await sharp(photo).resize(300).png().toFile(small);
  const { page } = await openPage(browser, phone);
  await page.goto(stack.url);
  await page.locator('input[name=photo]').setInputFiles([small, broken, photo]);
  const alert = page.getByRole('alert').filter({ hasText: /cannot be read/ });
  await alert.waitFor({ timeout: 60_000 });
  const sliders = page.getByRole('slider', { name: en['photo.compare'] });
  await sliders.nth(1).waitFor({ timeout: 60_000 });
  await shoot(page, 'broken-upload');
  await alert.getByRole('button').last().click();
  await alert.waitFor({ state: 'detached' });

  // One payment for both that arrived.
  await page.getByRole('button', { name: en['nav.history'] }).click();
  await page.getByRole('button', { name: 'HD for all 2 · ¥19.80' }).click();
  await page.getByRole('button', { name: en['pay.now'] }).click();
  await page.getByText(en['pay.paid'], { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  const links = page.getByRole('link', { name: en['action.download'] });
  await links.nth(1).waitFor({ timeout: 30_000 });
}, 120_000);

test('dropped and pasted photos are taken as well', async () => {
  const { page } = await openPage(browser, desktop);
  await page.goto(stack.url);
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).waitFor();
  const arrive = (kind: 'drop' | 'paste') =>
    page.evaluate(arrivalScript(kind, readFileSync(photo)));
  await arrive('drop');
  await page.locator('.exchange').waitFor();
  await arrive('paste');
  // The same bytes: the same photo.
  await page.waitForTimeout(500);
  expect(await page.locator('.exchange').count()).toBe(1);
}, 60_000);

test('credits, history, receipt, details, deleting one and everything', async () => {
  const { page, complaints } = await openPage(browser, phone);
  await sendPhotos(page, [photo]);
  await page.getByRole('button', { name: '0 credits' }).click();
  await shoot(page, 'credits');
  await page.getByRole('button', { name: /^10 credits/ }).click();
  await page.getByRole('button', { name: en['pay.now'] }).click();
  await page.getByText(en['pay.paid']).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: en['close'] }).last().click();
  await page.getByRole('button', { name: '10 credits' }).waitFor();
  await page.getByRole('button', { name: en['action.hd.credit'] }).click();
  await page.getByRole('link', { name: en['action.download'] }).waitFor({ timeout: 30_000 });
  await page.getByRole('button', { name: '9 credits' }).waitFor();

  await page.getByRole('button', { name: en['nav.history'] }).click();
  await page.getByRole('button', { name: en['order.receipt'] }).waitFor();
  await shoot(page, 'history');
  await page.getByRole('button', { name: en['order.receipt'] }).click();
  await page.getByRole('row', { name: /Total/ }).waitFor();
  await shoot(page, 'receipt');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: en['action.more'] }).click();
  await page.getByText(/decoded \d+ x \d+/).waitFor();
  await shoot(page, 'details');
  await page.getByRole('button', { name: en['action.delete'] }).click();
  await page.getByRole('button', { name: en['delete.yes'], exact: true }).click();
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).waitFor();

  await page.getByRole('button', { name: en['nav.settings'] }).click();
  await shoot(page, 'settings');
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('heading', { name: zhCn['settings.title'] }).waitFor();
  await page.getByRole('button', { name: zhCn['settings.erase'], exact: true }).click();
  await page.getByRole('button', { name: zhCn['settings.erase.yes'] }).click();
  await page.getByRole('button', { name: '0 点' }).waitFor();
  expect(complaints).toEqual([]);
}, 120_000);

test.each([en, zhCn])(
  'everything fits a phone of 320 px: $brand',
  async (t) => {
    const locale = t === en ? 'en' : 'zh-CN';
    const { page, complaints } = await openPage(browser, { ...screens.smallest, locale });
    const fits = async (name: string) => {
      await shoot(page, `smallest-${locale}-${name}`);
      const wide = `[document.documentElement, ...document.querySelectorAll('dialog')]
      .filter((one) => one.scrollWidth > Math.min(one.clientWidth, 320)).map((one) => one.tagName)`;
      expect({ name, wide: await page.evaluate(wide) }).toEqual({ name, wide: [] });
    };
    const open = async (name: string) => {
      await page.getByRole('button', { name }).click();
      await page.getByRole('dialog').waitFor();
      await fits(name);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      // The keyboard goes on where it was.
      expect(await page.evaluate('document.activeElement.tagName')).toBe('BUTTON');
    };
    await page.goto(stack.url);
    await page.getByRole('heading', { name: t['hero.title'], exact: true }).waitFor();
    await fits('welcome');
    await page.locator('input[name=photo]').setInputFiles(photo);
    await page.getByRole('slider', { name: t['photo.compare'] }).waitFor({ timeout: 90_000 });
    await fits('preview');
    for (const name of [t['nav.history'], t['nav.settings'], t['action.adjust'], t['action.more']])
      await open(name);
    await page.getByRole('button', { name: new RegExp(t['action.hd']) }).click();
    await page.getByRole('img', { name: t['pay.scan'] }).waitFor();
    await fits('pay');
    await page.getByRole('button', { name: t['pay.now'] }).click();
    const dialog = page.getByRole('dialog');
    // The file is offered where it was paid.
    await dialog.getByRole('link', { name: t['action.download'] }).waitFor({ timeout: 60_000 });
    await dialog.getByText(t['pay.ready.text']).waitFor();
    await fits('paid');
    expect(complaints).toEqual([]);
  },
  240_000,
);

test('a wrong address has a page with a way back; a program gets a problem', async () => {
  const { page } = await openPage(browser, phone);
  const answer = await page.goto(`${stack.url}/no/such/page`);
  expect(answer?.status()).toBe(404);
  await page.getByText(en['page.missing']).waitFor();
  await page.getByRole('link', { name: en['page.home'] }).click();
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).waitFor();
  for (const address of ['/no/such/page', '/api/v1/nothing']) {
    const problem = await fetch(stack.url + address);
    expect(problem.status).toBe(404);
    expect(await problem.json()).toMatchObject({ code: 'NO_SUCH_PAGE' });
  }
}, 60_000);

test('the pay page works for whoever has its link, without a cookie', async () => {
  const customer = await openPage(browser, desktop);
  await sendPhotos(customer.page, [photo]);
  await customer.page.getByRole('button', { name: new RegExp(en['action.hd']) }).click();
  const link = customer.page.getByRole('link', { name: en['pay.page'] });
  const address = new URL((await link.getAttribute('href')) as string, stack.url).href;

  const payer = await openPage(browser, { ...phone, locale: 'zh-CN' });
  await payer.page.goto(address);
  await payer.page.getByText(zhCn['pay.sandbox'], { exact: true }).waitFor();
  await shoot(payer.page, 'pay-page');
  await payer.page.getByRole('button', { name: zhCn['pay.now'] }).click();
  await payer.page.getByText(zhCn['pay.paid'], { exact: true }).waitFor();
  await shoot(payer.page, 'pay-page-paid');
  expect(await payer.page.context().cookies()).toEqual([]);
  // The customer's own page noticed by itself.
  await customer.page.getByText(en['pay.paid'], { exact: true }).waitFor();
  expect([...payer.complaints, ...customer.complaints]).toEqual([]);
}, 120_000);

test("the sandbox's QR code opens a till that takes no money", async () => {
  const customer = await openPage(browser, desktop);
  await sendPhotos(customer.page, [photo]);
  const asked = customer.page.waitForResponse((response) => response.url().endsWith('/unlocks'));
  await customer.page.getByRole('button', { name: new RegExp(en['action.hd']) }).click();
  const { order } = await (await asked).json();
  const scanner = await openPage(browser, phone);
  await scanner.page.goto(order.qr);
  await scanner.page.getByText('¥9.90').waitFor();
  await scanner.page.getByRole('button', { name: en['pay.now'] }).click();
  await scanner.page.getByText(en['pay.paid'], { exact: true }).waitFor();
  await customer.page.getByText(en['pay.paid'], { exact: true }).waitFor();
  expect(scanner.complaints).toEqual([]);
}, 120_000);

test('offline is said plainly and mended by itself', async () => {
  const { page } = await openPage(browser, phone);
  await page.goto(stack.url);
  await page.getByRole('button', { name: '0 credits' }).waitFor();
  await page.context().setOffline(true);
  await page.locator('input[name=photo]').setInputFiles(photo);
  await page.getByText(en['error.network']).waitFor();
  await page.context().setOffline(false);
  await page.getByRole('slider', { name: en['photo.compare'] }).waitFor({ timeout: 60_000 });
}, 90_000);

test('the API documentation shows up without breaking the content security policy', async () => {
  const { page, complaints } = await openPage(browser, desktop);
  await page.goto(`${stack.url}/api/docs`);
  await page.getByText('/api/v1/photos/{id}/unlock').waitFor();
  await shoot(page, 'docs');
  expect(await page.evaluate(pale)).toEqual([]);
  expect(complaints).toEqual([]);
}, 60_000);

/** Runs in the page: a file arrives as if dropped or pasted. */
function arrivalScript(kind: 'drop' | 'paste', bytes: Buffer): string {
  const event =
    kind === 'drop'
      ? "new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer })"
      : "new ClipboardEvent('paste', { bubbles: true, clipboardData: transfer })";
  return `{
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'old.jpg', { type: 'image/jpeg' }));
    document.querySelector('.page').dispatchEvent(${event});
  }`;
}

/** Runs in the page: labels of the documentation whose letters stand out less than 4.5 : 1. */
const pale = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((one) => {
      const share = one / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const all = '.opblock-summary-method, .info .title small, .download-url-button';
  const labels = [...document.querySelectorAll(all)];
  if (labels.length < 20) return ['nothing to look at'];
  return labels.filter((label) => {
    const style = getComputedStyle(label);
    const inner = label.querySelector('pre');
    const ink = light(inner ? getComputedStyle(inner).color : style.color);
    const paper = light(style.backgroundColor);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5;
  }).map((label) => label.textContent + ' ' + getComputedStyle(label).backgroundColor);
})()`;
