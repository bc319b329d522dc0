import { TelegramPerson } from '../emulators/telegram/person.js';
import { oldPhoto } from './support/old-photo.js';
import { openTelegramShop, type TelegramShop } from './support/telegram-shop.js';

jest.setTimeout(240_000);

let nextId = 550_000;
let shop: TelegramShop;
const person = (language = 'en') => new TelegramPerson(shop.emulator, { id: ++nextId, language });

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
