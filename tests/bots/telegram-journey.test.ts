import { readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { readLabel } from '../../src/inference/label/read-label.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

let nextId = 880_000;

/** An old photo of its own: grey, with a scene that a colouriser can take for something. */
async function oldPhoto(seed: number, widthPx = 480, heightPx = 360): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">
    <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="#ddd"/><stop offset="1" stop-color="#999"/></linearGradient></defs>
    <rect width="100%" height="60%" fill="url(#sky)"/><rect y="60%" width="100%" height="40%" fill="#555"/>
    <circle cx="${100 + (seed % 200)}" cy="180" r="60" fill="#${(0x888888 + seed * 0x010101).toString(16).slice(-6)}"/></svg>`;
  return sharp(Buffer.from(svg)).greyscale().jpeg({ quality: 95 }).toBuffer();
}

describe('Telegram, from a photo to its HD file', () => {
  let shop: TelegramShop;
  const person = (language = 'en') => new TelegramPerson(shop.emulator, { id: ++nextId, language });

  beforeAll(async () => {
    shop = await openTelegramShop();
  });
  afterAll(() => shop.close());

  test('greeting, commands registered in both languages', async () => {
    const anna = person();
    anna.says('/start');
    const greeting = await anna.sees((m) => /Welcome to Huancai/.test(m.text ?? ''), 'greeting');
    expect(greeting.text).toMatch(/free/i);
    expect(greeting.text).toMatch(/⭐|¥/);
    expect(shop.emulator.profile.has('commands:')).toBe(true);
    expect(JSON.stringify(shop.emulator.profile.get('commands:zh'))).toContain('客服');
  });

  test('photo, preview, HD with Stars, the file is the original’s size and labelled', async () => {
    const anna = person('zh-hans');
    const original = await oldPhoto(1);
    anna.sendsFile(original, 'grandma.jpg');
    await anna.sees((m) => /收到/.test(m.text ?? ''), 'acknowledgement');
    const preview = await anna.sees((m) => m.photo !== undefined, 'preview', 60_000);
    expect(preview.caption).toContain('高清文件');
    anna.presses('高清');
    await anna.sees((m) => m.invoice !== undefined, 'invoice');
    expect(await anna.paysInvoice()).toBeDefined();
    const master = await anna.sees((m) => m.document !== undefined, 'HD file', 60_000);
    const bytes = anna.bytesOf(master.document!.file_id);
    const { width, height } = await sharp(bytes).metadata();
    expect([width, height]).toEqual([480, 360]);
    const file = path.join(shop.dir, 'received.jpg');
    await sharp(bytes).stats();
    require('node:fs').writeFileSync(file, bytes);
    expect(await readLabel(file)).toBeDefined();
    const [before, after] = await Promise.all(
      [original, bytes].map((b) =>
        sharp(b).extract({ left: 0, top: 0, width: 380, height: 300 }).greyscale().raw().toBuffer(),
      ),
    );
    let sum = 0;
    for (let i = 0; i < before!.length; i++) sum += Math.abs(before![i]! - after![i]!);
    expect(sum / before!.length).toBeLessThan(4);
    expect(readFileSync(file).length).toBeGreaterThan(1000);
  });
});
