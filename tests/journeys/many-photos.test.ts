import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { en } from '../../src/web/app/src/texts/en';
import { openBrowser, openPage, screens } from '../support/browser.js';
import { createSepiaColorizer } from '../support/sepia-colorizer.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const photo = path.join(packageRoot, 'assets/demo/photographer.jpg');
const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-many-'));
const pictures = process.env.HUANCAI_SCREENSHOTS ?? dir;
const count = 21;

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

/** As large as scans are; no two alike. */
const someScans = (much: number) =>
  Promise.all(
    Array.from({ length: much }, async (_, i) => {
      const file = path.join(dir, `scan-${i}.jpg`);
      await sharp(photo)
        .resize(1_400)
        .modulate({ brightness: 0.8 + i / 60 })
        .jpeg()
        .toFile(file);
      return file;
    }),
  );

async function sendAll(page: Page, files: string[]): Promise<void> {
  await page.goto(stack.url);
  await page.getByRole('heading', { name: en['hero.title'], exact: true }).waitFor();
  await page.locator('input[name=photo]').setInputFiles(files);
  const ready = `fetch('/api/v1/photos?limit=100').then((r) => r.json())
    .then((list) => list.photos.filter((photo) => photo.status === 'ready').length)`;
  await until(async () => (await page.evaluate(ready)) === files.length, 120_000);
}

test.each([
  ['phone', 1_000_000],
  ['desktop', 1_500_000],
] as const)(
  'opened again with 21 photos on a %s: at the newest, and only what is seen is fetched',
  async (screen, mostBytes) => {
    const options = { ...screens[screen], locale: 'en', reducedMotion: 'reduce' } as const;
    const { page, complaints } = await openPage(browser, options);
    await sendAll(page, await someScans(count));
    // Another page of the same customer has nothing in its cache.
    const again = await page.context().newPage();
    await page.close();
    const network = await again.context().newCDPSession(again);
    await network.send('Network.enable');
    await network.send('Network.setCacheDisabled', { cacheDisabled: true });
    let bytes = 0;
    network.on('Network.loadingFinished', (event) => {
      bytes += event.encodedDataLength;
    });
    await again.goto(stack.url);
    const sliders = again.getByRole('slider', { name: en['photo.compare'] });
    await sliders.last().waitFor();
    await until(async () => (await sliders.count()) >= 20);
    await again.waitForTimeout(2_500);
    const below = await again.evaluate(
      'document.documentElement.scrollHeight - innerHeight - scrollY',
    );
    expect(below).toBeLessThan(40);
    await again.screenshot({ path: path.join(pictures, `many-${screen}.png`) });
    if (process.env.HUANCAI_SCREENSHOTS) process.stdout.write(`${screen}: ${bytes} bytes\n`);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(mostBytes);
    expect(complaints).toEqual([]);
  },
  240_000,
);

test('each button says which photo; deleting leaves the keyboard somewhere', async () => {
  const { page } = await openPage(browser, { ...screens.desktop, locale: 'en' });
  await sendAll(page, await someScans(2));
  const buttons = page.getByRole('button', { name: new RegExp(`^${en['action.hd']} ·`) });
  await until(async () => (await buttons.count()) === 2);
  const names = await buttons.evaluateAll((all) => all.map((one) => one.ariaLabel));
  expect(new Set(names).size).toBe(2);
  expect(names[1]).toMatch(/photo 2, sent on /);

  const slider = page.getByRole('slider', { name: en['photo.compare'] }).last();
  expect(await slider.getAttribute('aria-valuetext')).toBe('50 % in colour');

  await page.getByRole('button', { name: en['action.more'] }).last().click();
  await page.getByRole('button', { name: en['action.delete'] }).click();
  await page.getByRole('button', { name: en['delete.yes'], exact: true }).click();
  await until(async () => (await buttons.count()) === 1);
  await until(() => page.evaluate(`document.activeElement.matches('button')`));
}, 120_000);
