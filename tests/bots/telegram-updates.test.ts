import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

jest.setTimeout(240_000);

const operatorId = 990_002;
let nextId = 770_000;
let shop: TelegramShop;
const person = () => new TelegramPerson(shop.emulator, { id: ++nextId, language: 'en' });
const texts = (who: TelegramPerson) => who.received.map((m) => m.text ?? '');
const settle = () => new Promise((resolve) => setTimeout(resolve, 1_500));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('with a public address', () => {
  let url = '';
  let spoolDir = '';

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    spoolDir = mkdtempSync(path.join(os.tmpdir(), 'huancai-local-api-'));
    const env = { PORT: String(port), PUBLIC_URL: url };
    shop = await openTelegramShop(env, { localFilesDir: spoolDir });
    await shop.emulator.until(() => shop.emulator.webhook, 'webhook', 60_000);
  });
  afterAll(async () => {
    await shop.close();
    rmSync(spoolDir, { recursive: true, force: true });
  });

  const post = (body: unknown, secret?: string) =>
    fetch(`${url}/webhook/telegram`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  function updateOf(who: TelegramPerson, text: string, update_id: number) {
    const date = Math.floor(Date.now() / 1_000);
    const message = { message_id: update_id, date, chat: who.chat, from: who.user, text };
    return { update_id, message };
  }

  test('without the secret nothing is read; with it each update counts once', async () => {
    const anna = person();
    const { secret } = shop.emulator.webhook!;
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect((await post(updateOf(anna, '/credits', 900_001))).status).toBe(403);
    expect((await post(updateOf(anna, '/credits', 900_001), 'x'.repeat(64))).status).toBe(403);
    expect((await post('{', secret)).status).toBe(400);
    expect((await post({ hello: 'world' }, secret)).status).toBe(400);
    expect((await post(updateOf(anna, '/credits', 900_002), secret)).status).toBe(200);
    expect((await post(updateOf(anna, '/credits', 900_002), secret)).status).toBe(200);
    await anna.sees((m) => /Credits: \d+/.test(m.text ?? ''), 'balance');
    await settle();
    expect(anna.received).toHaveLength(1);
  });

  test('a person is answered, and a Bot API server’s own files are read from its disk', async () => {
    const ben = person();
    ben.sendsFile(await oldPhoto(701), 'p.jpg', 'application/octet-stream');
    await ben.sees((m) => m.photo !== undefined, 'preview', 120_000);
    expect(shop.emulator.actions.some((a) => a.method === 'getFile')).toBe(true);
  });
});

describe('polling', () => {
  beforeAll(async () => {
    shop = await openTelegramShop({ TELEGRAM_OPERATOR_CHAT_ID: String(operatorId) });
  });
  afterAll(() => shop.close());

  test('duplicated and shuffled updates: each answered once', async () => {
    const people = Array.from({ length: 6 }, person);
    const first = shop.emulator.reserveUpdateIds(people.length);
    const order = [3, 0, 5, 1, 4, 2];
    for (const i of [...order, ...order]) {
      const { chat, user } = people[i]!;
      const message = { message_id: 1, date: 1, chat, from: user, text: '/credits' };
      shop.emulator.push('message', message, first + i);
    }
    for (const who of people) await who.sees((m) => /Credits: /.test(m.text ?? ''), 'balance');
    const [one] = people;
    const again = { message_id: 1, date: 1, chat: one!.chat, from: one!.user, text: '/credits' };
    shop.emulator.repeat({ update_id: first, message: again });
    await settle();
    for (const who of people) expect(who.received).toHaveLength(1);
  });

  test('one chat’s answers keep the order of its questions', async () => {
    const cara = person();
    for (const words of ['/credits', '/history', '/settings', 'blah']) cara.says(words);
    await cara.sees((m) => /Send me a photo/.test(m.text ?? ''), 'last answer');
    expect(texts(cara)).toEqual([
      expect.stringMatching(/^Credits/),
      expect.stringMatching(/no photos/),
      expect.stringMatching(/^Style/),
      expect.stringMatching(/^Send me/),
    ]);
  });

  test('told to wait, it waits and says it once; a server’s fault is not the customer’s', async () => {
    const dora = person();
    const faults = ['systemError', 'http500', 'html502'] as const;
    let left = faults.length;
    shop.emulator.faults = (method) =>
      method === 'sendMessage' && left > 0 ? faults[--left] : undefined;
    dora.says('/credits');
    await dora.sees((m) => /Credits: /.test(m.text ?? ''), 'balance', 60_000);
    await settle();
    expect(left).toBe(0);
    expect(dora.received).toHaveLength(1);
    shop.emulator.faults = () => undefined;
  });

  test('an answer lost on its way back: what matters is said again rather than not at all', async () => {
    const emil = person();
    let left = 1;
    shop.emulator.faults = (method) =>
      method === 'sendMessage' && left-- > 0 ? 'replyLost' : undefined;
    emil.says('/credits');
    await emil.sees((m) => /Credits: /.test(m.text ?? ''), 'balance');
    await settle();
    expect(emil.received.length).toBeGreaterThanOrEqual(1);
    expect(emil.received.length).toBeLessThanOrEqual(2);
    shop.emulator.faults = () => undefined;
  });

  test('who blocked the bot is not written to again, until they come back', async () => {
    const fred = person();
    fred.says('/credits');
    await fred.sees((m) => /Credits: /.test(m.text ?? ''), 'balance');
    fred.sendsFile(await oldPhoto(702), 'p.jpg');
    await fred.sees((m) => /Got it/.test(m.text ?? ''), 'acknowledgement');
    // Telegram tells of it by refusing, too.
    shop.emulator.blocked.add(fred.chat.id);
    await shop.emulator.until(
      () => shop.logs.some((line) => line.includes('customer.unreachable')),
      'refusal',
      60_000,
    );
    const operator = new TelegramPerson(shop.emulator, { id: operatorId, language: 'en' });
    let calls = 0;
    shop.emulator.faults = () => {
      calls += 1;
      return undefined;
    };
    operator.says('/broadcast We are open on Sunday');
    const done = await operator.sees((m) => /^Reached \d+/.test(m.text ?? ''), 'end', 60_000);
    expect(calls).toBeGreaterThan(0);
    expect(fred.received.some((m) => /Sunday/.test(m.text ?? ''))).toBe(false);
    expect(Number(/\d+/.exec(done.text!)![0])).toBeGreaterThan(5);
    shop.emulator.faults = () => undefined;
    fred.unblocks();
    fred.says('/history');
    await fred.sees((m) => /Your latest photos/.test(m.text ?? ''), 'history', 30_000);
  });

  test('a long question arrives whole; /id names the chat', async () => {
    const gina = person();
    const operator = new TelegramPerson(shop.emulator, { id: operatorId, language: 'en' });
    gina.says(`/paysupport ${'word '.repeat(810)}end`);
    await gina.sees((m) => /Passed on/.test(m.text ?? ''), 'confirmation');
    await operator.sees((m) => /end$/.test(m.text ?? ''), 'the end of the question');
    expect(texts(operator).join('').match(/word/g)).toHaveLength(810);
    operator.says('/id');
    await operator.sees((m) => m.text === String(operatorId), 'id');
  });

  test('more photos than Telegram puts into one album are one album all the same', async () => {
    const hugo = person();
    hugo.sendsAlbum(await Promise.all(Array.from({ length: 10 }, (_, i) => oldPhoto(710 + i))));
    hugo.sendsAlbum([await oldPhoto(721), await oldPhoto(722)]);
    hugo.sendsPhoto(await oldPhoto(723));
    await hugo.sees(
      (m) => /HD of all 13/.test(JSON.stringify(m.reply_markup ?? '')),
      'price',
      200_000,
    );
    expect(texts(hugo).filter((text) => /Got|Colouring|All 13/.test(text))).toHaveLength(1);
    expect(hugo.received.filter((m) => m.photo)).toHaveLength(13);
    hugo.says('/history');
    await hugo.sees((m) => /Your latest photos/.test(m.text ?? ''), 'history');
    hugo.presses('Older');
    await shop.emulator.until(
      () => texts(hugo).filter((text) => /Your latest/.test(text)).length === 2,
      'the next page',
    );
    expect(texts(hugo).at(-1)!.split('\n')).toHaveLength(1 + 5);
  });

  test('a forwarded photo with a style; who never opened a chat is asked to, in the group', async () => {
    const ida = person();
    const forward_origin = { type: 'user', date: 1, sender_user_name: 'an aunt' };
    ida.sendsPhoto(await oldPhoto(731), { forward_origin, caption: 'our old building' });
    await ida.sees((m) => m.photo !== undefined, 'preview', 120_000);
    const group = { id: -100_501, title: 'neighbours' };
    const jan = new TelegramPerson(shop.emulator, { id: ++nextId, language: 'en', group });
    jan.sendsAlbum([await oldPhoto(732), await oldPhoto(733)], '@huancai_bot please');
    await jan.sees((m) => m.media_group_id !== undefined, 'both previews', 120_000);
    expect(jan.received.filter((m) => m.media_group_id)).toHaveLength(2);
    await jan.sees((m) => /Your previews/.test(m.text ?? ''), 'price');
    jan.presses('HD of all 2');
    await shop.emulator.until(() => shop.emulator.invoices.size > 0, 'invoice', 30_000);
    await jan.paysInvoice();
    const asked = await jan.sees(
      (m) => /open a chat with me/.test(m.text ?? ''),
      'request',
      120_000,
    );
    expect(asked.reply_markup?.inline_keyboard?.[0]?.[0]?.url).toBe(
      'https://t.me/huancai_bot?start=hd',
    );
    expect(jan.received.some((m) => m.document)).toBe(false);
  });

  test('a sale that we do not know is refused at once', async () => {
    const kim = person();
    shop.emulator.invoices.set('ch_unknown', {
      ...{ payload: 'ch_unknown', currency: 'XTR', amount: 70, title: 'x' },
    });
    expect(await kim.paysInvoice('ch_unknown')).toBeUndefined();
    const answers = [...shop.emulator.preCheckoutAnswers.values()];
    expect(answers.at(-1)?.ok).toBe(false);
  });
});
