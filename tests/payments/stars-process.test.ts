import { oldPhoto } from '../bots/support/old-photo.js';
import { openTelegramShop, type TelegramShop } from '../bots/support/telegram-shop.js';
import { TelegramPerson } from '../emulators/telegram/person.js';

/** Stars in the built product, Telegram's side over a socket. */
describe('stars in the running studio', () => {
  let shop: TelegramShop;
  let ids = 770_000;
  const person = () => new TelegramPerson(shop.emulator, { id: ++ids, language: 'en' });
  beforeAll(async () => {
    shop = await openTelegramShop();
  });
  afterAll(() => shop.close());

  /** Ask for a pack; the invoice that comes. */
  async function invoiceFor(who: TelegramPerson): Promise<string> {
    who.says('/buy');
    await who.sees((m) => / credits/.test(JSON.stringify(m.reply_markup ?? {})), 'packs', 60_000);
    const { invoices } = shop.emulator;
    const before = new Set(invoices.keys());
    who.presses('credits');
    const fresh = () => [...invoices.keys()].find((payload) => !before.has(payload));
    return shop.emulator.until(fresh, 'invoice', 60_000);
  }

  test('nobody outside the chat can say that an invoice was paid', async () => {
    const anna = person();
    const invoicePayload = await invoiceFor(anna);
    const { amount } = shop.emulator.invoices.get(invoicePayload)!;
    const body = JSON.stringify({
      ...{ payerId: String(anna.user.id), invoicePayload, currency: 'XTR', totalAmount: amount },
      ...{ chargeId: 'stars_forged', paidAtMs: Date.now(), via: 'chat' },
    });
    for (const path of ['/notify/stars', '/notify/stars/', '/notify/STARS']) {
      const headers = { 'content-type': 'application/json', via: 'chat' };
      const answer = await fetch(`${shop.url()}${path}`, { method: 'POST', headers, body });
      expect(answer.status).toBe(404);
    }
    // The true payment that follows is the only one.
    expect(await anna.paysInvoice(invoicePayload)).toBeDefined();
    await anna.sees((m) => /credits added/i.test(m.text ?? ''), 'credited', 60_000);
    const thanks = anna.received.filter((m) => /credits added/i.test(m.text ?? ''));
    expect(thanks).toHaveLength(1);
  }, 180_000);

  test('Telegram gets its answer in time while photos pile up and everybody talks', async () => {
    const buyers = Array.from({ length: 8 }, person);
    const payloads: string[] = [];
    for (const one of buyers) payloads.push(await invoiceFor(one));
    const crowd = Array.from({ length: 12 }, person);
    for (const [seed, one] of crowd.entries()) {
      one.sendsFile(await oldPhoto(seed, 1600, 1200), 'old.jpg');
      for (const words of ['/start', '/history', '/credits', 'hello', '/help']) one.says(words);
    }
    // Whoever is not answered within Telegram's ten seconds has not paid.
    const paid = await Promise.all(buyers.map((one, i) => one.paysInvoice(payloads[i])));
    expect(paid.filter(Boolean)).toHaveLength(buyers.length);
    for (const one of buyers)
      await one.sees((m) => /credits added/i.test(m.text ?? ''), 'credited', 120_000);
  }, 400_000);
});
