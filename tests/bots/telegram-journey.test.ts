import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { readLabel } from '../../src/inference/label/read-label.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { colourfulness, lightnessDifference, oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

const operatorId = 990_001;
const main = path.resolve(__dirname, '../../dist/cli/main.js');
jest.setTimeout(240_000);

let nextId = 880_000;
let seed = 1;

describe('Telegram journeys through the real process', () => {
  let shop: TelegramShop;
  const person = (language = 'en') => new TelegramPerson(shop.emulator, { id: ++nextId, language });
  const photo = () => oldPhoto(++seed);
  const cli = (...args: string[]) =>
    execFileSync(process.execPath, [main, ...args], {
      env: { PATH: process.env.PATH, HOME: shop.dir, HUANCAI_DATA_DIR: shop.dir },
      encoding: 'utf8',
    });
  /** Send a photo, wait for its preview. */
  async function preview(who: TelegramPerson, bytes: Buffer) {
    const seen = who.received.length;
    who.sendsFile(bytes, 'photo.jpg');
    return who.sees(
      (m) => m.photo !== undefined && who.received.indexOf(m) >= seen,
      'preview',
      60_000,
    );
  }
  async function buyWithStars(who: TelegramPerson, button: string) {
    const invoices = shop.emulator.invoices.size;
    who.presses(button);
    await shop.emulator.until(() => shop.emulator.invoices.size > invoices, 'invoice');
    const paid = await who.paysInvoice();
    expect(paid).toBeDefined();
    return paid!;
  }

  beforeAll(async () => {
    shop = await openTelegramShop({ TELEGRAM_OPERATOR_CHAT_ID: String(operatorId) });
  });
  afterAll(() => shop.close());

  test('greeting says what is free, what HD costs and how photos are kept', async () => {
    const anna = person();
    anna.says('/start');
    const { text } = await anna.sees((m) => /Welcome to Huancai/.test(m.text ?? ''), 'greeting');
    expect(text).toMatch(/free/i);
    expect(text).toMatch(/⭐/);
    expect(text).toMatch(/deleted after \d+ days/);
    // The profile is registered beside the talks, which do not wait for it.
    const chinese = await shop.emulator.until(() => shop.emulator.profile.get('commands:zh'), 'zh');
    expect(shop.emulator.profile.has('commands:')).toBe(true);
    expect(JSON.stringify(chinese)).toContain('客服');
  });

  test('photo -> preview -> HD -> Stars -> file: right size, lightness kept, labelled', async () => {
    const anna = person('zh-hans');
    const original = await photo();
    const shown = await preview(anna, original);
    expect(shown.caption).toContain('高清文件');
    anna.presses('高清');
    await anna.sees((m) => m.invoice !== undefined, 'invoice');
    const chargeId = await anna.paysInvoice();
    // Telegram may tell of a payment twice.
    anna.tellsOfPayment(chargeId!);
    const master = await anna.sees((m) => m.document !== undefined, 'HD file', 60_000);
    const bytes = anna.bytesOf(master.document!.file_id);
    const { width, height } = await sharp(bytes).metadata();
    expect([width, height]).toEqual([480, 360]);
    expect(await lightnessDifference(original, bytes)).toBeLessThan(1.5);
    expect(await colourfulness(bytes)).toBeGreaterThan(2);
    const file = path.join(shop.dir, 'received.jpg');
    writeFileSync(file, bytes);
    expect(await readLabel(file)).toMatchObject({ Label: '1' });
    await anna.sees((m) => /已收到付款/.test(m.text ?? ''), 'thanks');
    expect(anna.received.filter((m) => m.document)).toHaveLength(1);
    anna.presses('收据');
    await anna.sees((m) => /收据 or_/.test(m.text ?? ''), 'receipt');
  });

  test('one status message is edited as things move', async () => {
    const ben = person();
    await preview(ben, await photo());
    const done = await ben.sees((m) => m.text === 'Done.' && m.edit_date !== undefined, 'edit');
    expect(ben.received.filter((m) => /Got it|Colouring|Done/.test(m.text ?? ''))).toEqual([done]);
  });

  test('a small compressed photo gets the hint to send the original as a file', async () => {
    const ben = person();
    const seen = ben.sees((m) => /Send the original as a file/.test(m.text ?? ''), 'hint');
    ben.sendsPhoto(await photo());
    await seen;
  });

  test('another look: three on one picture, pick one; adjust; then HD is that one', async () => {
    const cara = person();
    await preview(cara, await photo());
    cara.presses('Another look');
    const sheet = await cara.sees((m) => /Which one/.test(m.caption ?? ''), 'sheet', 90_000);
    expect(sheet.reply_markup?.inline_keyboard?.flat().map((b) => b.text)).toEqual(['1', '2', '3']);
    cara.presses('2');
    await cara.sees((m) => m.photo !== undefined && m.message_id > sheet.message_id, 'picked');
    cara.presses('Adjust');
    await cara.sees((m) => /What would you like to change/.test(m.text ?? ''), 'menu');
    const before = cara.received.length;
    cara.presses('Warmer');
    await cara.sees(
      (m) => m.photo !== undefined && cara.received.indexOf(m) >= before,
      'warmer preview',
      60_000,
    );
  });

  test('credits: a pack, then HD without another payment', async () => {
    const dora = person();
    dora.says('/buy');
    await dora.sees((m) => /One credit is one HD file/.test(m.text ?? ''), 'packs');
    await buyWithStars(dora, 'credits');
    await dora.sees((m) => /Credits added/.test(m.text ?? ''), 'credited');
    await preview(dora, await photo());
    dora.presses('HD');
    await dora.sees((m) => m.document !== undefined, 'HD file', 60_000);
    dora.says('余额');
    await dora.sees((m) => /您有 \d+ 点/.test(m.text ?? ''), 'balance, in the language asked in');
  });

  test('album: one acknowledgement, previews together, one payment, a ZIP', async () => {
    const emil = person();
    const pictures = await Promise.all([photo(), photo(), photo(), photo()]);
    emil.sendsAlbum(pictures, 'portrait');
    await emil.sees((m) => /Your previews/.test(m.text ?? ''), 'album', 120_000);
    expect(
      emil.received.filter((m) => /Got 4 photos|Colouring|All 4/.test(m.text ?? '')),
    ).toHaveLength(1);
    expect(emil.received.filter((m) => m.media_group_id)).toHaveLength(4);
    await buyWithStars(emil, 'HD of all 4');
    await shop.emulator.until(
      () => emil.received.filter((m) => m.document).length === 4,
      'four HD files',
      120_000,
    );
    await emil.sees((m) => /All 4 HD files are here/.test(m.text ?? ''), 'the way to the ZIP');
    emil.presses('ZIP');
    const zip = await emil.sees((m) => m.document?.file_name === 'huancai.zip', 'ZIP', 30_000);
    expect(emil.bytesOf(zip.document!.file_id).subarray(0, 2).toString()).toBe('PK');
  });

  test('a group: only when mentioned, and the paid file goes to the buyer alone', async () => {
    const group = { id: -100_500, title: 'family' };
    const fred = new TelegramPerson(shop.emulator, { id: ++nextId, language: 'en', group });
    const alone = new TelegramPerson(shop.emulator, { id: nextId, language: 'en' });
    alone.says('/start');
    await alone.sees((m) => /Welcome/.test(m.text ?? ''), 'greeting');
    fred.says('what a nice photo');
    fred.sendsFile(await photo(), 'not-for-the-bot.jpg');
    const before = fred.received.length;
    fred.sendsFile(await photo(), 'p.jpg', 'image/jpeg', { caption: '@huancai_bot please' });
    await fred.sees((m) => m.photo !== undefined, 'preview in the group', 60_000);
    expect(before).toBe(0);
    expect(fred.received.filter((m) => m.photo)).toHaveLength(1);
    const invoices = shop.emulator.invoices.size;
    fred.presses('HD');
    await shop.emulator.until(() => shop.emulator.invoices.size > invoices, 'invoice');
    await fred.paysInvoice();
    await alone.sees((m) => m.document !== undefined, 'HD in private', 60_000);
    expect(fred.received.some((m) => m.document)).toBe(false);
  });

  test('support: a question reaches the operator, the answer comes back', async () => {
    const operator = new TelegramPerson(shop.emulator, { id: operatorId, language: 'en' });
    const gina = person();
    gina.says('/paysupport');
    await gina.sees((m) => /write to the operator/.test(m.text ?? ''), 'prompt');
    gina.says('I paid twice, I think');
    await gina.sees((m) => /Passed on/.test(m.text ?? ''), 'confirmation');
    const question = await operator.sees((m) => /I paid twice/.test(m.text ?? ''), 'question');
    operator.says('You paid once, all is well.', { reply_to_message: question });
    await gina.sees((m) => /The operator: You paid once/.test(m.text ?? ''), 'answer');
    operator.says('/today');
    await operator.sees((m) => /^Today: \d+ photos/.test(m.text ?? ''), 'numbers');
    operator.says('/stuck');
    await operator.sees((m) => /stuck|min\./.test(m.text ?? ''), 'stuck photos');
    operator.says('/pause');
    await operator.sees((m) => /Intake is paused/.test(m.text ?? ''), 'pause');
    gina.sendsFile(await photo(), 'p.jpg');
    await gina.sees((m) => /paused|no new photos|at the moment/i.test(m.text ?? ''), 'closed');
    operator.says('/resume');
    await operator.sees((m) => /Intake goes on/.test(m.text ?? ''), 'resume');
    const log = cli('operator', 'log', '--limit', '3', '--json');
    const who = { door: 'chat', actor: 'telegram' };
    const lines = log.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { ...who, action: 'intake', details: { paused: false } },
      { ...who, action: 'intake', details: { paused: true } },
      { ...who, action: 'answer' },
    ]);
    expect(log).not.toContain('You paid once');
  });

  test('refund from the operator’s chat: the Stars go back once', async () => {
    const operator = new TelegramPerson(shop.emulator, { id: operatorId, language: 'en' });
    const hugo = person();
    await preview(hugo, await photo());
    const chargeId = await buyWithStars(hugo, 'HD');
    await hugo.sees((m) => m.document !== undefined, 'HD file', 60_000);
    hugo.presses('Receipt');
    const receipt = await hugo.sees((m) => /^Receipt or_/.test(m.text ?? ''), 'receipt');
    const orderId = /or_\w+/.exec(receipt.text!)![0];
    operator.says(`/refund ${orderId} a wrong photo`);
    await hugo.sees((m) => /on its way back to you/.test(m.text ?? ''), 'refund', 30_000);
    operator.says(`/refund ${orderId}`);
    const back = () => shop.emulator.stars.filter((t) => t.receiver && t.id === chargeId);
    await shop.emulator.until(() => back().length === 1, 'refund at Telegram');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(back()).toHaveLength(1);
  });

  test('language switch, history, settings, unknown words', async () => {
    const ida = person('en');
    ida.says('语言');
    await ida.sees((m) => /以后说中文/.test(m.text ?? ''), 'Chinese');
    ida.says('历史');
    await ida.sees((m) => /还没有照片/.test(m.text ?? ''), 'history');
    ida.says('设置');
    await ida.sees((m) => /新照片的风格/.test(m.text ?? ''), 'settings');
    ida.presses('人像');
    await ida.sees((m) => /以后按“人像”处理/.test(m.text ?? ''), 'preset');
    ida.says('blah blah');
    await ida.sees((m) => /发照片给我就好/.test(m.text ?? ''), 'hint');
  });

  test('bad input: plain words, nothing breaks', async () => {
    const jan = person();
    jan.sendsFile(Buffer.from('this is no picture'), 'x.jpg');
    await jan.sees((m) => /could not be coloured/.test(m.text ?? ''), 'refusal', 30_000);
    jan.sendsFile(Buffer.alloc(21_000_000), 'huge.jpg');
    await jan.sees((m) => /up to 20 MB, and this one is larger/.test(m.text ?? ''), 'too large');
    jan.callback(jan.received[0]!, 'hd:ph_somebody_elses');
    await jan.sees(
      (m) => /no longer|not found|cannot be found|not here/i.test(m.text ?? ''),
      'not found',
    );
  });

  test('delete everything', async () => {
    const kim = person();
    await preview(kim, await photo());
    kim.says('/delete');
    await kim.sees((m) => /What would you like to delete/.test(m.text ?? ''), 'menu');
    kim.presses('Everything');
    await kim.sees((m) => /Really/.test(m.text ?? ''), 'question');
    kim.presses('Yes');
    await kim.sees((m) => /Everything is deleted/.test(m.text ?? ''), 'done');
  });

  test('a blocked bot is no fault; coming back works', async () => {
    const lea = person();
    lea.sendsFile(await photo(), 'p.jpg');
    lea.blocks();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    lea.unblocks();
    lea.says('/history');
    await lea.sees((m) => /Your latest photos/.test(m.text ?? ''), 'history', 30_000);
  });

  test('power cuts between all steps: everything arrives, nothing twice', async () => {
    const max = person();
    const restart = async () => {
      await shop.kill();
      await shop.start();
    };
    max.sendsFile(await photo(), 'p.jpg');
    await restart();
    await max.sees((m) => m.photo !== undefined, 'preview', 90_000);
    max.presses('HD');
    await restart();
    await max.sees((m) => m.invoice !== undefined, 'invoice', 90_000);
    const paying = max.paysInvoice();
    const paid = await paying;
    await restart();
    expect(paid).toBeDefined();
    await max.sees((m) => m.document !== undefined, 'HD file', 90_000);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(max.received.filter((m) => m.document)).toHaveLength(1);
  });

  test('afterwards the books are in order', async () => {
    expect(await shop.stop()).toBe(0);
    expect(cli('ledger', 'audit')).toMatch(/./);
  });
});
