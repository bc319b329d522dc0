import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { openTelegramShop } from '../bots/support/telegram-shop.js';
import { openWechatShop } from '../bots/support/wechat-shop.js';
import { addTryPage } from './telegram/try-page.js';
import { wechatHtml } from './wechat/chat-html.js';
import { WechatPerson } from './wechat/person.js';
import type { WorldMessage } from './wechat/world.js';

/**
 * The pictures of conversations in the README, from the real studio over the emulators:
 * `npm run build && node -r ./scripts/ts-hook.cjs tests/emulators/chat-pictures.ts`.
 */
const root = path.resolve(__dirname, '../..');
const photo = path.join(root, 'assets/demo/photographer.jpg');
const viewport = { width: 440, height: 960 };
const gapPx = 24;

async function openPage(): Promise<{ page: Page; close: () => Promise<void> }> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport, deviceScaleFactor: 1.5, colorScheme: 'light' });
  return { page, close: () => browser.close() };
}

/** Two screens of one conversation side by side. */
async function save(name: string, screens: readonly Buffer[]): Promise<void> {
  const { width = 0, height = 0 } = await sharp(screens[0]).metadata();
  const whole = sharp({
    create: { width: 2 * width + gapPx, height, channels: 3, background: '#ffffff' },
  });
  const file = path.join(root, 'docs/images', name);
  await whole
    .composite(screens.map((input, i) => ({ input, left: i * (width + gapPx), top: 0 })))
    .webp({ quality: 82 })
    .toFile(file);
  console.log(`${file} ${Math.round(readFileSync(file).length / 1024)} KB`);
}

async function telegram(): Promise<void> {
  const shop = await openTelegramShop();
  addTryPage(shop.emulator, 'en');
  const { page, close } = await openPage();
  await page.goto(`${shop.emulator.url}/try`);
  const sees = (text: string) =>
    page.locator('#log', { hasText: text }).waitFor({ timeout: 240_000 });
  const presses = (label: string) => page.locator('.row button', { hasText: label }).last().click();
  await page.fill('#text', 'hi');
  await page.press('#text', 'Enter');
  await sees('Welcome');
  await page.setInputFiles('#file', photo);
  await sees('Before and after');
  await presses('Another look');
  await sees('Which one');
  await page.waitForTimeout(1_500);
  const first = await page.screenshot();
  await presses('3');
  await page.waitForTimeout(4_000);
  await presses('HD');
  await sees('invoice above');
  await presses('Pay');
  await sees('Your HD file');
  await page.waitForTimeout(1_500);
  const second = await page.screenshot();
  await close();
  await save('telegram.webp', [first, second]);
  await shop.close();
}

async function wechat(): Promise<void> {
  const shop = await openWechatShop();
  const person = new WechatPerson(shop.world, 'wxid_customer');
  const isPicture = (m: WorldMessage) => m.filename === 'huancai-preview.jpg';
  const offered = (text: string) => (m: WorldMessage) => m.text.includes(text);
  person.says('你好');
  await person.sees(offered('欢迎'), 'greeting');
  person.sendsPicture(readFileSync(photo));
  await person.sees(isPicture, 'preview', 240_000);
  await person.sees(offered('高清 ¥'), 'offer');
  const { page, close } = await openPage();
  const shown = () => shop.world.between(person.id);
  const shot = async () => {
    await page.setContent(wechatHtml(shown(), person.id));
    await page.waitForTimeout(500);
    await page.locator('.m').last().scrollIntoViewIfNeeded();
    return page.screenshot();
  };
  const first = await shot();
  person.chooses('高清');
  await person.sees((m) => m.filename === 'pay.png', 'code', 60_000);
  await person.sees(offered('扫码'), 'how to pay');
  const [trade] = [...shop.bank.trades.values()];
  shop.bank.pay(trade!.outTradeNo);
  await person.sees((m) => /^huancai-\w{6}\.jpg$/.test(m.filename ?? ''), 'HD file', 240_000);
  await person.sees(offered('您的高清文件'), 'words');
  const second = await shot();
  await close();
  await save('wechat.webp', [first, second]);
  await shop.close();
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  if (wanted.length === 0 || wanted.includes('telegram')) await telegram();
  if (wanted.length === 0 || wanted.includes('wechat')) await wechat();
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
