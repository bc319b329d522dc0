import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { Abilities } from '../../src/bots/abilities.js';
import { createChatBot } from '../../src/bots/chat-bot.js';
import type { Reply } from '../../src/bots/conversation/reply.js';
import type { ConversationDeps } from '../../src/bots/conversation/talk.js';
import { createOperatorDesk } from '../../src/bots/operator-desk.js';
import { createMessages } from '../../src/cli/messages.js';
import { createQrPicture } from '../../src/cli/serve/qr-picture.js';
import { zipInto } from '../../src/cli/serve/zip-files.js';
import { createChatLog } from '../../src/storage/chat-store.js';
import { createOperator } from '../../src/studio/operator.js';
import type { ChannelId } from '../../src/studio/ports/basics.js';
import type { ChatChannel } from '../../src/studio/ports/channel.js';
import { queueDue } from '../../src/studio/sweep/due.js';
import {
  type MemoryPerson,
  memoryChannel,
  openMemoryDoor,
  plainAbilities,
  type Shown,
} from '../support/memory-door.js';
import { clerk, openShop, type Shop, shopConfig } from '../support/shop.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

/**
 * A third channel is a door and nothing else: `tests/support/memory-door.ts` is one file, and the
 * chat bot behind it does all that Telegram and WeChat have.
 */
const messages = createMessages(path.resolve('config/messages'));
const operatorId = 'operator';
const methods = { ...shopConfig.methods, [memoryChannel]: ['sandbox' as const] };
let shop: Shop;
let scratch: string;
let running: Awaited<ReturnType<typeof openBot>>;
let people = 0;

async function openBot(abilities: Abilities, listens = true) {
  const door = openMemoryDoor(abilities);
  const chatLog = createChatLog(shop.database);
  const { studio, context, blobs, clock, log } = shop;
  const say = (chat: { chatId: string }, reply: Reply) => bot.say(chat.chatId, reply);
  const operator = createOperator(context);
  const chat = { channel: memoryChannel, chatId: operatorId };
  const desk = createOperatorDesk(
    { ...{ chatLog, messages, clock, log, say }, operator, studio },
    { language: 'en', ...(listens ? { chat } : {}) },
  );
  const draw = createQrPicture(messages, 'Asia/Shanghai');
  const deps: ConversationDeps = {
    ...{ studio, chatLog, blobs, messages, clock, log },
    qrPicture: (order, { language }) => draw(order, language),
    zipFiles: (files) => zipInto(scratch, files),
    operatorListens: desk.listens,
    askRefund: (talk, order) => desk.askRefund(talk, order),
    askOperator: (talk, text) => desk.ask(talk, text),
    askToJoin: (talk, code) => desk.askToJoin(talk, code),
  };
  const presets = Object.keys(context.config.presets);
  const config = { timeZone: 'Asia/Shanghai', retentionDays: 30, presets };
  const bot = createChatBot({ ...deps, desk }, config, door);
  (context.channels as Map<ChannelId, ChatChannel>).set(memoryChannel, bot.channel);
  await bot.start();
  return { door, bot, desk };
}

beforeEach(async () => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'huancai-third-door-'));
  shop = await openShop({ config: { methods } });
  running = await openBot(plainAbilities);
});
afterEach(async () => {
  await running.bot.stop();
  await shop.close();
  rmSync(scratch, { recursive: true, force: true });
});

const newcomer = () => running.door.person(`someone-${++people}`);

/** Let the studio work until a person sees it. */
async function sees(who: MemoryPerson, look: (one: Shown) => boolean, what: string) {
  for (const end = Date.now() + 20_000; ; ) {
    await shop.drain();
    const found = who.sees().find(look);
    if (found) return found;
    if (Date.now() > end)
      throw new Error(
        `never: ${what}\n${who
          .sees()
          .map((one) => one.text)
          .join('\n---\n')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isPreview = ({ picture }: Shown) => picture?.name === 'huancai-preview.jpg';
const isQr = ({ picture }: Shown) => picture?.name === 'pay.png';
const isMaster = ({ file }: Shown) => file?.name.startsWith('huancai-') === true;
/** The number that stands before a choice in a message without buttons. */
const numberOf = ({ text }: Shown, label: RegExp) =>
  text
    .split('\n')
    .find((line) => label.test(line))!
    .split(' ')[0]!;

/** Pay the newest order at the sandbox's till. */
async function pay(who: MemoryPerson): Promise<void> {
  await sees(who, isQr, 'QR code');
  const asked = await sees(who, ({ text }) => /I have paid/.test(text), 'what to do then');
  expect(asked.text).toMatch(/¥\d+\.\d\d/);
  const customers = await shop.store.read.customers.byIdentity(
    memoryChannel,
    who.sees()[0]!.chatId,
  );
  const [order] = await shop.studio.orders(customers!.id, 1);
  await shop.sandbox.pay(shop.sandbox.tradeOf(order!.qr!)!);
  await who.says(numberOf(asked, /I have paid/));
}

test('photo, preview, HD by a number, payment, file', async () => {
  const anna = newcomer();
  await anna.sends(await shop.picture());
  await sees(anna, isPreview, 'preview');
  const offer = await sees(anna, ({ text }) => /^1 .*¥9\.90/m.test(text), 'numbered choices');
  await anna.says(numberOf(offer, /¥9\.90/));
  await pay(anna);
  const { file } = await sees(anna, isMaster, 'HD file');
  const master = await shop.blobs.localFile((file as { blobKey: string }).blobKey);
  expect(await sharp(master).metadata()).toMatchObject({ width: 320, height: 240 });
  expect(anna.sees().filter(isMaster)).toHaveLength(1);
});

test('the HD file again without its visible label, for whoever confirms once; and back', async () => {
  const ada = newcomer();
  await ada.sends(await shop.picture());
  const offer = await sees(ada, ({ text }) => /^1 .*¥9\.90/m.test(text), 'numbered choices');
  await ada.says(numberOf(offer, /¥9\.90/));
  await pay(ada);
  await sees(ada, isMaster, 'HD file');
  await sees(ada, ({ text }) => /send "without label"/.test(text), 'how to have it without');
  await ada.says('without label');
  const asked = await sees(ada, ({ text }) => /kept for six months/.test(text), 'question');
  expect(ada.sees().filter(isMaster)).toHaveLength(1);
  const files = (count: number) =>
    sees(ada, () => ada.sees().filter(isMaster).length === count, `HD file ${count}`);
  await ada.says(numberOf(asked, /label it myself/));
  await files(2);
  await ada.says('with label');
  await files(3);
  // Confirmed once: not asked again.
  await ada.says('without label');
  await files(4);
  expect(ada.sees().filter(({ text }) => /kept for six months/.test(text))).toHaveLength(1);
});

test('photos close together are an album: a word, previews one by one, one price for all', async () => {
  const ben = newcomer();
  for (let i = 0; i < 3; i++) await ben.sends(await shop.picture());
  const offer = await sees(ben, ({ text }) => /¥29\.70/.test(text), 'one price for three');
  expect(ben.sees().filter(isPreview)).toHaveLength(3);
  expect(ben.sees().filter(({ text }) => /3 photos/.test(text))).not.toHaveLength(0);
  expect(ben.sees().at(-1)).toEqual(offer);
  await ben.says(numberOf(offer, /¥29\.70/));
  await pay(ben);
  const zipped = await sees(
    ben,
    ({ text }) => /^1 All as ZIP/m.test(text),
    'the way to all in one',
  );
  expect(ben.sees().filter(isMaster)).toHaveLength(3);
  await ben.says(numberOf(zipped, /All as ZIP/));
  await sees(ben, ({ file }) => file?.name === 'huancai.zip', 'ZIP');
});

test('the first word comes at once, once; the pixels of HD are said before it is paid', async () => {
  const zoe = newcomer();
  await zoe.sends(await shop.picture());
  // Before anything else is done with it.
  await until(() => zoe.sees().length > 0);
  expect(zoe.sees().map(({ text }) => text)).toEqual(['Got it. One moment...']);
  await sees(zoe, ({ text }) => /HD: 320 × 240 pixels/.test(text), 'size of the HD file');
  expect(zoe.sees().filter(({ text }) => /^Got it/.test(text))).toHaveLength(1);
});

test('an order that is called off is called off: no word of a payment or of its expiry', async () => {
  const kay = newcomer();
  await kay.sends(await shop.picture());
  const offered = await sees(kay, ({ text }) => /¥9\.90/.test(text), 'offer');
  await kay.says(numberOf(offered, /¥9\.90/));
  const asked = await sees(kay, ({ text }) => /I have paid/.test(text), 'what to do then');
  await kay.says(numberOf(asked, /Cancel/));
  await sees(kay, ({ text }) => text === 'The order is cancelled.', 'word of it');
  for (let minute = 0; minute < 4; minute++) {
    shop.skip(60_000);
    await queueDue(shop.context);
    await shop.drain();
  }
  const customer = await shop.store.read.customers.byIdentity(memoryChannel, kay.chatId);
  const [order] = await shop.studio.orders(customer!.id, 1);
  expect(order).toMatchObject({ state: 'closed' });
  expect(kay.sees().filter(({ text }) => /expired|No payment/.test(text))).toEqual([]);
});

test('photos of an album that fail say which they are; when all do, that is said', async () => {
  const ned = newcomer();
  for (let i = 0; i < 3; i++) {
    const file = path.join(shop.dir, `broken-${i}.jpg`);
    writeFileSync(file, `no photo ${i}`);
    await ned.sends(file);
  }
  await sees(ned, ({ text }) => text === 'None of the 3 photos could be coloured.', 'all failed');
  for (const number of [1, 2, 3])
    await sees(ned, ({ text }) => text.startsWith(`Photo ${number} of 3 could not`), 'which one');
});

test('photos of an album are asked for one by one, by their numbers', async () => {
  const olga = newcomer();
  for (let i = 0; i < 3; i++) await olga.sends(await shop.picture());
  const offer = await sees(olga, ({ text }) => /One by one/.test(text), 'previews');
  await olga.says(numberOf(offer, /One by one/));
  const list = await sees(olga, ({ text }) => /in the order you sent them/.test(text), 'list');
  expect(list.text.match(/^Photo \d: .*$/gm)).toEqual(
    [1, 2, 3].map((number) => `Photo ${number}: preview ready`),
  );
  await olga.says(numberOf(list, /Photo 2$/));
  await sees(olga, ({ text }) => text.startsWith('Photo 2 of 3\n'), 'its number in the text');
});

test('a photo of an album that is not taken says its number, and the others keep theirs', async () => {
  await running.bot.stop();
  running = await openBot({ ...plainAbilities, downloadLimitBytes: 20_000_000 });
  const pia = newcomer();
  const large = path.join(shop.dir, 'large.tif');
  writeFileSync(large, '');
  truncateSync(large, 25_000_000);
  await pia.sends(await shop.picture());
  await pia.sends(large);
  await pia.sends(await shop.picture());
  await sees(
    pia,
    ({ text }) => text.startsWith('Photo 2: This file has 25 MB; in this chat I can take 20 MB.'),
    'which, and why',
  );
  const offer = await sees(pia, ({ text }) => /One by one/.test(text), 'previews of the others');
  await pia.says(numberOf(offer, /One by one/));
  const list = await sees(pia, ({ text }) => /in the order you sent them/.test(text), 'list');
  expect(list.text.match(/^Photo \d: /gm)).toEqual(['Photo 1: ', 'Photo 3: ']);
  await pia.says(numberOf(list, /Photo 3$/));
  await sees(pia, ({ text }) => text.startsWith('Photo 3 of 3\n'), 'its number');
});

test('the same reason for several photos of an album is said once, with their numbers', async () => {
  await running.bot.stop();
  running = await openBot({ ...plainAbilities, downloadLimitBytes: 1 });
  const quin = newcomer();
  for (let i = 0; i < 3; i++) await quin.sends(await shop.picture());
  await sees(quin, ({ text }) => /^Photos (?:1, 2, 3|2, 3): /.test(text), 'all of them');
});

test('a style named beside a photo counts for it; a question about it is not asked', async () => {
  const cleo = newcomer();
  await cleo.sends(await shop.picture());
  await cleo.says('a portrait of grandma');
  await sees(cleo, isPreview, 'preview');
  const customer = await shop.store.read.customers.byIdentity(memoryChannel, cleo.chatId);
  const [photo] = await shop.store.read.photos.list(customer!.id, 1);
  expect(photo).toMatchObject({ preset: 'portrait' });
  expect(cleo.sees().filter(({ text }) => /Send me a photo/.test(text))).toEqual([]);
});

test('/id, a question to the operator, the answer, a broadcast: the desk is behind every door', async () => {
  const [dora, operator] = [newcomer(), running.door.person(operatorId)];
  await operator.says('/id');
  await sees(operator, ({ text }) => text === operatorId, 'own id');
  await dora.says('support my photo is upside down');
  await sees(dora, ({ text }) => /^Passed on/.test(text), 'confirmation');
  const question = await sees(operator, ({ text }) => /upside down/.test(text), 'question');
  const code = /[A-Z2-9]{8}/.exec(question.text)![0];
  await operator.says(`/answer ${code} I have turned it.`);
  await sees(dora, ({ text }) => /I have turned it/.test(text), 'answer');
  await operator.says('/broadcast Happy new year');
  await sees(dora, ({ text }) => text === 'Happy new year', 'broadcast');
  // An operator's chat may be a group: then the log says who of it.
  await running.desk.handle({ text: '/pause', from: 'otto', key: 'by-otto' });
  const log = await shop.store.read.operatorLog.list(10);
  expect(log.map(({ action, actor }) => `${actor} ${action}`)).toEqual([
    `${memoryChannel}:otto intake`,
    `${memoryChannel} broadcast`,
    `${memoryChannel} answer`,
  ]);
});

test('money back is asked for in the chat: the desk gets order, photo and sum, and decides', async () => {
  const [ria, operator] = [newcomer(), running.door.person(operatorId)];
  await ria.says('我要退款');
  await sees(ria, ({ text }) => /没有可以退款/.test(text), 'nothing was paid');
  await ria.sends(await shop.picture());
  const offered = await sees(ria, ({ text }) => /¥9\.90/.test(text), 'offer');
  await ria.says(numberOf(offered, /¥9\.90/));
  await sees(ria, isQr, 'QR code');
  const customer = await shop.store.read.customers.byIdentity(memoryChannel, ria.chatId);
  const [order] = await shop.studio.orders(customer!.id, 1);
  await shop.sandbox.pay(shop.sandbox.tradeOf(order!.qr!)!);
  await shop.studio.refreshOrder(order!.id);
  await sees(ria, isMaster, 'HD file');
  await ria.says('退款');
  const which = await sees(ria, ({ text }) => /要退哪个订单/.test(text), 'which order');
  for (let i = 0; i < 2; i++) await ria.says(numberOf(which, /¥9\.90/));
  await sees(ria, ({ text }) => text.includes(order!.id), 'passed on');
  const asked = operator.sees().filter(({ text }) => text.includes(order!.id));
  expect(asked).toHaveLength(1);
  expect(asked[0]!.text).toContain('¥9.90');
  expect(asked[0]!.text).toContain(order!.photoIds[0]);
  expect(operator.sees().filter(isPreview)).toHaveLength(1);
  expect(await shop.studio.order(customer!.id, order!.id)).toMatchObject({ refundedMinor: 0 });
  await operator.says(/\/refund \S+/.exec(asked[0]!.text)![0]);
  await sees(operator, ({ text }) => /on its way back/.test(text), 'done');
});

test('common questions get an answer in words, whichever language they are asked in', async () => {
  const una = newcomer();
  await una.says('多少钱');
  await sees(una, ({ text }) => /高清文件 ¥9\.90/.test(text), 'price');
  await una.says('谢谢');
  await sees(una, ({ text }) => /^不客气/.test(text), 'welcome');
  await una.says('can you fix scratches?');
  await una.says('/privacy');
  await una.says('/terms');
  await sees(una, ({ text }) => /您买的是|What you buy/.test(text), 'terms');
  expect(
    una.sees().filter(({ text }) => /notUnderstood|Send me a photo|发照片给我/.test(text)),
  ).toEqual([]);
});

test('without an operator’s chat it is said before, and the words are kept', async () => {
  await running.bot.stop();
  running = await openBot(plainAbilities, false);
  const vic = newcomer();
  await vic.says('support');
  const before = await sees(vic, ({ text }) => /in one message/.test(text), 'what to do');
  expect(before.text).toMatch(/reads it later/);
  await vic.says('My refund has not come and the price is wrong');
  await sees(vic, ({ text }) => /^Kept for the operator/.test(text), 'kept');
  const office = createOperator(shop.context);
  const [kept] = await office.questions(10);
  expect(kept).toMatchObject({ text: 'My refund has not come and the price is wrong' });
  await office.answer(clerk, kept!.customerCode, 'It is on its way.', 'a1');
  await sees(vic, ({ text }) => /It is on its way/.test(text), 'answer');
  expect(await office.questions(10)).toEqual([]);
});

test('a message that comes twice is answered once', async () => {
  const emil = newcomer();
  await emil.says('/credits', 'the-same');
  await emil.says('/credits', 'the-same');
  await emil.says('/history');
  await sees(emil, ({ text }) => /no photos yet/.test(text), 'history');
  expect(emil.sees()).toHaveLength(2);
});

test('a door that is away loses nothing, and the order stays', async () => {
  const fay = newcomer();
  await running.door.setAway(true);
  await fay.says('/credits');
  await fay.says('/history');
  await shop.drain();
  expect(fay.sees()).toEqual([]);
  await running.door.setAway(false);
  await sees(fay, ({ text }) => /no photos yet/.test(text), 'history');
  expect(fay.sees().map(({ text }) => /^Credits/.test(text))).toEqual([true, false]);
});

describe('what a door can carry decides how things are said', () => {
  async function reopen(abilities: Partial<Abilities>): Promise<MemoryPerson> {
    await running.bot.stop();
    running = await openBot({ ...plainAbilities, ...abilities });
    return newcomer();
  }

  test('buttons, captions and edits: one status that moves, choices under the picture', async () => {
    const gus = await reopen({ buttonsMax: 10, captionMax: 1_000, edits: true });
    await gus.sends(await shop.picture());
    const preview = await sees(gus, isPreview, 'preview');
    expect(preview.choices!.flat().map(({ intent }) => intent!.kind)).toContain('hd');
    expect(preview.text).not.toMatch(/Reply 1/);
    expect(running.door.edited()).toBeGreaterThan(0);
    // The status message, and the preview with its words.
    expect(gus.sees()).toHaveLength(2);
    await gus.presses(preview.choices!.flat().find(({ intent }) => intent!.kind === 'hd'));
    await sees(gus, isQr, 'QR code');
  });

  test('more choices than buttons: numbers', async () => {
    const hal = await reopen({ buttonsMax: 1, captionMax: 1_000 });
    await hal.sends(await shop.picture());
    const preview = await sees(hal, isPreview, 'preview');
    expect(preview.choices).toBeUndefined();
    await hal.says(numberOf(preview, /¥9\.90/));
    await sees(hal, isQr, 'QR code');
  });

  test('pictures together: an album comes as one message', async () => {
    const ida = await reopen({ picturesTogether: 9 });
    for (let i = 0; i < 3; i++) await ida.sends(await shop.picture());
    await sees(ida, ({ text }) => /¥29\.70/.test(text), 'price');
    expect(ida.sees().map(({ pictures }) => pictures?.length ?? 0)).toContain(3);
    expect(ida.sees().filter(isPreview)).toEqual([]);
  });

  test('long words are cut, none is lost', async () => {
    const jo = await reopen({ textMax: 100 });
    await jo.says('/help');
    await jo.says('/history');
    await sees(jo, ({ text }) => /no photos yet/.test(text), 'history');
    const parts = jo
      .sees()
      .slice(0, -1)
      .map(({ text }) => text);
    expect(Math.max(...parts.map((one) => one.length))).toBeLessThanOrEqual(100);
    const code = /[A-Z2-9]{8}/.exec(parts.join(''))![0];
    expect(parts.join('')).toBe(messages.text('bots.help', 'en', { code }));
  });

  test('an HD file that is too large for the door is not tried: words say where it is', async () => {
    const kim = await reopen({ uploadLimitBytes: 100 });
    await kim.sends(await shop.picture());
    const offer = await sees(kim, ({ text }) => /¥9\.90/.test(text), 'offer');
    await kim.says(numberOf(offer, /¥9\.90/));
    await pay(kim);
    await sees(kim, ({ text }) => /too large|MB/.test(text), 'the way to it');
    expect(kim.sees().filter(isMaster)).toEqual([]);
  });

  test('a budget: never beyond it; what passes is left out, the rest follows the next word', async () => {
    const budget = { messages: 3, withinMs: 86_400_000 };
    const lea = await reopen({ budget });
    await lea.sends(await shop.picture());
    await sees(lea, ({ text }) => /¥9\.90/.test(text), 'preview and its words');
    await lea.says('/history', 'one-word');
    const customer = await shop.store.read.customers.byIdentity(memoryChannel, lea.chatId);
    const { answer } = createOperator(shop.context);
    for (let i = 1; i <= 5; i++) await answer(clerk, customer!.code, `news ${i}.`, `news-${i}`);
    const news = () => lea.sees().flatMap(({ text }) => /news (\d)\./.exec(text)?.[1] ?? []);
    await sees(lea, ({ text }) => /news 2/.test(text), 'as much as one word allows');
    // The same word again renews nothing.
    await lea.says('/history', 'one-word');
    expect(running.door.sinceWord(lea.chatId)).toBe(budget.messages);
    await lea.says('thanks');
    await sees(lea, ({ text }) => /news 5/.test(text), 'the rest of the news');
    expect(news()).toEqual(['1', '2', '3', '4', '5']);
    await lea.says('/credits');
    await sees(lea, ({ text }) => /^Credits/.test(text), 'credits');
    expect(lea.sees().at(-2)!.text).toMatch(/^You are welcome/);
    expect(running.door.beyondBudget()).toBe(0);
  });

  test('a budget of hours: nothing is said after them, and nothing is lost', async () => {
    const mia = await reopen({ budget: { messages: 10, withinMs: 3_600_000 } });
    await mia.sends(await shop.picture());
    await until(() => mia.sees().length > 0);
    shop.skip(3_700_000);
    await shop.drain();
    await until(() => shop.log.lines.some(({ event }) => event === 'chat.notHandled'));
    expect(mia.sees().filter(isPreview)).toEqual([]);
    await mia.says('is it ready?');
    await sees(mia, isPreview, 'preview, at the next word');
  });
});
