import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { packageRoot } from '../../src/cli/package-root.js';
import { en } from '../../src/web/app/src/texts/en';
import { zhCn } from '../../src/web/app/src/texts/zh-cn';
import { openBrowser, openPage, screens } from '../support/browser.js';
import { until } from '../support/until.js';
import { startWebStack, type WebStack } from '../support/web-stack.js';

const photo = path.join(packageRoot, 'assets/demo/photographer.jpg');
const texts = { en, 'zh-CN': zhCn };
/** Kept for the eye: HUANCAI_SCREENSHOTS names a folder. */
const pictures =
  process.env.HUANCAI_SCREENSHOTS ?? mkdtempSync(path.join(os.tmpdir(), 'huancai-screens-'));

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

const walks = [
  { locale: 'en', screen: 'phone', colorScheme: 'light' },
  { locale: 'zh-CN', screen: 'phone', colorScheme: 'dark' },
  { locale: 'en', screen: 'desktop', colorScheme: 'dark' },
  { locale: 'zh-CN', screen: 'desktop', colorScheme: 'light' },
] as const;

test.each(walks)(
  'from an old photo to the HD file: $locale on a $screen',
  async ({ locale, screen, colorScheme }) => {
    const t = texts[locale];
    const { page, complaints } = await openPage(browser, {
      ...screens[screen],
      locale,
      colorScheme,
      reducedMotion: 'reduce',
    });
    const shoot = (name: string) =>
      page.screenshot({ path: path.join(pictures, `${screen}-${locale}-${name}.png`) });

    await page.goto(stack.url);
    await page.getByRole('heading', { name: t['hero.title'], exact: true }).waitFor();
    await shoot('1-welcome');

    await page.locator('input[name=photo]').setInputFiles(photo);
    await page.getByRole('slider', { name: t['photo.compare'] }).waitFor({ timeout: 60_000 });
    await until(() => page.evaluate('[...document.images].every((image) => image.complete)'));
    await shoot('2-preview');

    await page.getByRole('button', { name: new RegExp(t['action.hd']) }).click();
    const dialog = page.getByRole('dialog', { name: t['pay.title'] });
    await dialog.getByText(t['pay.sandbox'], { exact: true }).waitFor();
    await dialog.getByRole('img', { name: t['pay.scan'] }).waitFor();
    await shoot('3-pay');
    await dialog.getByRole('button', { name: t['pay.now'] }).click();
    await dialog.getByText(t['pay.paid']).waitFor();
    await shoot('4-paid');
    await dialog.getByRole('button', { name: t['close'] }).last().click();

    const saved = await download(page, t['action.download']);
    const { width, height } = await sharp(saved).metadata();
    const wanted = await sharp(photo).metadata();
    expect([width, height]).toEqual([wanted.width, wanted.height]);
    await shoot('5-unlocked');

    // A second visit finds it all again.
    await page.reload();
    await page.getByRole('link', { name: t['action.download'] }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  },
  120_000,
);

async function download(page: Page, name: string): Promise<Buffer> {
  const link = page.getByRole('link', { name });
  await link.waitFor({ timeout: 30_000 });
  const [saving] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(saving.suggestedFilename()).toMatch(/^huancai-.+-master\.jpg$/);
  return readFileSync(await saving.path());
}
