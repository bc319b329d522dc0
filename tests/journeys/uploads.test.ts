import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import sharp from 'sharp';
import { en } from '../../src/web/app/src/texts/en';
import { openBrowser, openPage, screens } from '../support/browser.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-uploads-'));
const phone = { ...screens.phone, locale: 'en', reducedMotion: 'reduce' } as const;
const pictures = process.env.HUANCAI_SCREENSHOTS ?? dir;

let stack: WebStack;
let browser: Browser;

beforeAll(async () => {
  stack = await startWebStack({ colorizer: createSepiaColorizer() });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await stack?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A file of about as many bytes as the picture has pixels: noise does not pack. */
async function noisyPhoto(name: string, width: number, height: number): Promise<string> {
  const file = path.join(dir, name);
  await sharp(randomBytes(width * height), { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 0 })
    .toFile(file);
  return file;
}

const severalPhotos = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => noisyPhoto(`old-${i}.png`, 300, 200)));

async function visit(): Promise<{ page: Page; network: CDPSession }> {
  const { page } = await openPage(browser, phone);
  const network = await page.context().newCDPSession(page);
  await network.send('Network.enable');
  await page.goto(stack.url);
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).waitFor();
  return { page, network };
}

/** @param bytesPerSecond -1: as fast as it goes. */
const slowDown = (network: CDPSession, bytesPerSecond: number, offline = false) =>
  network.send('Network.emulateNetworkConditions', {
    offline,
    latency: 20,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  });

const pick = (page: Page, files: string | string[]) =>
  page.locator('input[name=photo]').setInputFiles(files);

/** Photos of this customer that the studio has. */
const arrived = (page: Page): Promise<number> =>
  page.evaluate(
    `fetch('/api/v1/photos?limit=100').then((r) => r.json()).then((list) => list.photos.length)`,
  );

test('thirty are dropped and the page is loaded again half-way: all thirty arrive', async () => {
  const files = await severalPhotos(30);
  const { page, network } = await visit();
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type());
    return dialog.accept();
  });
  // Browsers ask on leaving only where somebody did something.
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).click();
  await slowDown(network, 150_000);
  await pick(page, files);
  await page.getByText(/photos still to be sent/).waitFor();
  await until(async () => (await arrived(page)) >= 5, 60_000);
  await page.screenshot({ path: path.join(pictures, 'uploads-half-way.png') });
  await page.reload();
  expect(dialogs).toEqual(['beforeunload']);
  await page
    .locator('.sent', { hasText: en['upload.waiting'].replace('{name}', '') })
    .first()
    .waitFor();
  expect(await arrived(page)).toBeLessThan(30);
  await slowDown(network, -1);
  await until(async () => (await arrived(page)) === 30, 90_000);
  await page.getByText(/photos? still to be sent/).waitFor({ state: 'detached' });
  // Nothing is left to warn of.
  await page.reload();
  expect(dialogs).toEqual(['beforeunload']);
  expect(await arrived(page)).toBe(30);
}, 240_000);

test('an offline spell fails nothing; the queue goes on by itself', async () => {
  const { page } = await visit();
  await page.context().setOffline(true);
  await pick(page, await severalPhotos(4));
  await page
    .getByText(/is not sent yet/)
    .nth(1)
    .waitFor();
  await page.getByRole('button', { name: /^Send all \d now$/ }).waitFor();
  await page.screenshot({ path: path.join(pictures, 'uploads-offline.png') });
  expect(await page.getByRole('alert').filter({ hasText: 'was not sent' }).count()).toBe(0);
  await page.context().setOffline(false);
  await until(async () => (await arrived(page).catch(() => 0)) === 4, 60_000);
}, 120_000);

test('a closed page goes on with its photos when it is opened again', async () => {
  const { page } = await visit();
  const context = page.context();
  await context.setOffline(true);
  await pick(page, await severalPhotos(3));
  await page
    .getByText(/is not sent yet/)
    .first()
    .waitFor();
  await page.waitForTimeout(500);
  await page.close();
  await context.setOffline(false);
  const later = await context.newPage();
  await later.goto(stack.url);
  await until(async () => (await arrived(later)) === 3, 60_000);
}, 120_000);

test('a large file that is cut goes on where it stopped, after a reload as well', async () => {
  const file = await noisyPhoto('large.png', 4_400, 4_400);
  const { page, network } = await visit();
  const offsets: number[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'PATCH' || !request.url().includes('/uploads/')) return;
    offsets.push(Number(request.headers()['upload-offset']));
  });
  await slowDown(network, 4_000_000);
  await pick(page, file);
  await until(() => offsets.some((offset) => offset >= 6_000_000), 60_000);
  await slowDown(network, 4_000_000, true);
  await page.getByText(/is not sent yet/).waitFor();
  await slowDown(network, 4_000_000);
  await until(() => offsets.some((offset) => offset >= 10_000_000), 60_000);
  await page.reload();
  await until(async () => (await arrived(page)) === 1, 90_000);
  // Ten parts; what a cut interrupted came twice, nothing else.
  expect(offsets.filter((offset) => offset === 0)).toHaveLength(1);
  expect(offsets.length).toBeLessThanOrEqual(13);
}, 240_000);

test('a photo that was taken is never said to be not sent', async () => {
  const { page } = await visit();
  let refused = 0;
  await page.route(/\/api\/v1\/photos\/[^/?]+$/, (route) => {
    refused += 1;
    return route.abort();
  });
  await pick(page, await noisyPhoto('taken.png', 300, 200));
  await page.locator('.exchange').waitFor({ timeout: 30_000 });
  expect(refused).toBeGreaterThan(0);
  expect(await page.getByText(/not sent/).count()).toBe(0);
}, 60_000);

test('what never helps is not offered: no picture, no second try', async () => {
  const file = path.join(dir, 'letter.jpg');
  writeFileSync(file, 'Dear grandmother, this is no photo.');
  const { page } = await visit();
  await pick(page, file);
  const alert = page.getByRole('alert').filter({ hasText: 'letter.jpg was not sent' });
  await alert.waitFor();
  expect(await alert.getByRole('button', { name: en['upload.retry'] }).count()).toBe(0);
  await alert.getByRole('button', { name: en['upload.dismiss'] }).click();
  await alert.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).waitFor();
}, 60_000);
