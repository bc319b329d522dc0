import { createServer } from 'node:net';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

jest.setTimeout(240_000);

let nextId = 550_000;
let shop: TelegramShop;
const person = (language = 'en') => new TelegramPerson(shop.emulator, { id: ++nextId, language });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('at a page with an address', () => {
  let url = '';

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    shop = await openTelegramShop({ PORT: String(port), PUBLIC_URL: url });
    await shop.emulator.until(() => shop.emulator.webhook, 'webhook', 60_000);
  });
  afterAll(() => shop.close());

  test('a file of 25 MB is not said to have 21, and the page has its address', async () => {
    const ben = person();
    ben.sendsFile(Buffer.alloc(25_000_000), 'grandma.tif', 'image/tiff');
    const told = await ben.sees((m) => /MB/.test(m.text ?? ''), 'answer');
    expect(told.text).toContain('up to 20 MB');
    expect(told.text).not.toContain('21 MB');
    expect(told.text).toContain(url);
  });

  test('words in Chinese from an English app are answered in Chinese, unless English was chosen', async () => {
    const cai = person();
    cai.says('多少钱？');
    await cai.sees((m) => /高清文件/.test(m.text ?? ''), 'Chinese');
    cai.says('/credits');
    await cai.sees((m) => /您有/.test(m.text ?? ''), 'Chinese from then on');
    cai.says('/language');
    await cai.sees((m) => /English it is/.test(m.text ?? ''), 'English');
    cai.says('谢谢');
    await cai.sees((m) => /You are welcome/.test(m.text ?? ''), 'English');
  });

  test('a question under a photo is answered beside the photo; work is shown; one language on the invoice', async () => {
    const dan = person();
    dan.sendsPhoto(await oldPhoto(742), { caption: 'Can you fix the scratches?' });
    await dan.sees((m) => /paint nothing/.test(m.text ?? ''), 'answer');
    await dan.sees((m) => m.photo !== undefined, 'preview', 120_000);
    expect(shop.emulator.actions.map(({ method }) => method)).toContain('sendChatAction');
    dan.presses('HD');
    const sold = await dan.sees((m) => m.invoice !== undefined, 'invoice');
    expect(sold.invoice?.title).toBe('Huancai HD photo');
  });
});

describe('HD tapped twice', () => {
  beforeAll(async () => {
    shop = await openTelegramShop();
  });
  afterAll(() => shop.close());

  test('is one invoice; once it is bought, no older button sells it again', async () => {
    const lea = person();
    lea.sendsPhoto(await oldPhoto(741));
    await lea.sees((m) => m.photo !== undefined, 'preview', 120_000);
    lea.presses('HD');
    lea.presses('HD');
    await shop.emulator.until(
      () => lea.received.filter((m) => /invoice above/.test(m.text ?? '')).length === 2,
      'two answers',
      30_000,
    );
    const payloads = [...shop.emulator.invoices.keys()];
    expect(payloads).toHaveLength(1);
    expect(lea.received.filter((m) => m.invoice)).toHaveLength(1);
    // Both hands pay: the second is told why not, before any money moves.
    expect(await lea.paysInvoice(payloads[0])).toBeDefined();
    await lea.sees((m) => m.document !== undefined, 'HD file', 120_000);
    expect(await lea.paysInvoice(payloads[0])).toBeUndefined();
    const refused = [...shop.emulator.preCheckoutAnswers.values()].at(-1);
    expect(refused).toMatchObject({ ok: false, error: expect.stringMatching(/bought already/) });
    lea.says('/credits');
    await lea.sees((m) => /Credits: 0\./.test(m.text ?? ''), 'no credits by mistake');
  });
});
