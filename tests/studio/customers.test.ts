import { auditLedger } from '../../src/storage/audit.js';
import { createChatLog } from '../../src/storage/chat-store.js';
import { startOfDayMs } from '../../src/studio/local-day.js';
import { createOperator } from '../../src/studio/operator.js';
import { clerk, openShop, type Shop, shopConfig } from '../support/shop.js';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop({ config: { prices: { ...shopConfig.prices, welcomeCredits: 2 } } });
});
afterEach(async () => {
  expect(await auditLedger(shop.database.raw)).toEqual([]);
  await shop.close();
});

const redeem = async (customerId: string, credits: number) => {
  const wanted = { credits, count: 1, batch: 'spring', expiresMs: null };
  const [code] = await createOperator(shop.context).createCodes(clerk, wanted);
  return shop.studio.redeemCreditCode(customerId, code!);
};

test('a second visit finds the same customer, language and settings', async () => {
  const someone = await shop.newCustomer('u1');
  await shop.studio.setLanguage(someone.id, 'zh-CN');
  await shop.studio.setSettings(someone.id, { preset: 'portrait' });
  const again = await shop.studio.identify({ channel: 'web', chatId: 'new' }, 'u1', 'en');
  expect(again).toEqual({ id: someone.id, language: 'zh-CN', customerCode: someone.customerCode });
  const profile = await shop.studio.profile(someone.id);
  expect(profile).toMatchObject({
    credits: 2,
    settings: { preset: 'portrait' },
    identities: ['web'],
  });
});

test('a code joins two customers: credits, photos and orders come along, one welcome stays', async () => {
  const [one, two] = [await shop.newCustomer(), await shop.newCustomer()];
  const photo = await shop.readyPhoto(two);
  await redeem(two.id, 5);
  const { code } = await shop.studio.createLinkCode(one.id);
  await shop.studio.redeemLinkCode(two.id, ` ${code.toLowerCase().slice(0, 4)}-${code.slice(4)}`);
  expect((await shop.studio.profile(one.id)).credits).toBe(7);
  expect((await shop.studio.profile(two.id)).id).toBe(one.id);
  expect((await shop.studio.photo(one.id, photo.id)).id).toBe(photo.id);
  const seen = await shop.studio.identify(two.chat, two.chat.chatId, 'en');
  expect(seen.id).toBe(one.id);
  await expect(shop.studio.redeemLinkCode(two.id, code)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('a hold that is open while its customer is joined is still settled', async () => {
  const [one, two] = [await shop.newCustomer(), await shop.newCustomer()];
  const photo = await shop.readyPhoto(two);
  await shop.studio.unlock(two.id, [photo.id], { key: 'k', chat: two.chat });
  const { code } = await shop.studio.createLinkCode(one.id);
  await shop.studio.redeemLinkCode(two.id, code);
  await shop.drain();
  expect((await shop.studio.photo(one.id, photo.id)).masterKey).toBeDefined();
});

test('joining oneself changes nothing', async () => {
  const someone = await shop.newCustomer();
  const { code } = await shop.studio.createLinkCode(someone.id);
  await shop.studio.redeemLinkCode(someone.id, code);
  expect((await shop.studio.profile(someone.id)).credits).toBe(2);
});

test('a link code expires', async () => {
  const [one, two] = [await shop.newCustomer(), await shop.newCustomer()];
  const { code } = await shop.studio.createLinkCode(one.id);
  shop.skip(10 * 60_000);
  await expect(shop.studio.redeemLinkCode(two.id, code)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('a credit code works once, for whoever is first, in any spelling', async () => {
  const [one, two] = [await shop.newCustomer(), await shop.newCustomer()];
  const wanted = { credits: 5, count: 1, batch: 'spring', expiresMs: null };
  const [code] = await createOperator(shop.context).createCodes(clerk, wanted);
  const tries = [one, two, one, two].map(({ id }) =>
    shop.studio.redeemCreditCode(id, code!.toLowerCase()).then(
      ({ credits }) => credits,
      (error) => error.code,
    ),
  );
  expect((await Promise.all(tries)).sort()).toEqual([5, 'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
});

test('a code that is too old already is not made', async () => {
  const wanted = { credits: 5, count: 1, batch: 'spring', expiresMs: shop.clock.now() - 1 };
  await expect(createOperator(shop.context).createCodes(clerk, wanted)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

test('codes are kept as hashes only', async () => {
  const wanted = { credits: 5, count: 2, batch: 'spring', expiresMs: null };
  const codes = await createOperator(shop.context).createCodes(clerk, wanted);
  const rows = await shop.database.writer.selectFrom('creditCodes').selectAll().execute();
  const text = JSON.stringify(rows);
  for (const code of codes) expect(text).not.toContain(code.replaceAll('-', ''));
});

test('erasing takes photos, files and names, and keeps what accounts must keep', async () => {
  const someone = await shop.newCustomer('openid-secret');
  await shop.readyPhoto(someone);
  await shop.submit(someone);
  const chatLog = createChatLog(shop.database);
  await chatLog.setState('web', 'openid-secret', 'album', { photos: 3 });
  const options = { key: 'k', chat: someone.chat, method: 'sandbox' } as const;
  const order = await shop.studio.topUp(someone.id, 'ten', options);
  await shop.sandbox.pay(shop.sandbox.tradeOf(order.qr!)!);
  await shop.studio.refreshOrder(order.id);
  await shop.drain();
  await createOperator(shop.context).erase(clerk, someone.customerCode.toLowerCase());
  await shop.drain();
  const left: string[] = [];
  for await (const { key } of shop.blobs.list()) left.push(key);
  expect(left).toEqual([]);
  expect(await shop.studio.photos(someone.id, { limit: 10 })).toEqual([]);
  const tables = [
    ...(['customers', 'identities', 'photos', 'orders', 'outbox', 'timeline'] as const),
    ...(['chatStates', 'chatMessages', 'chatUpdates'] as const),
  ];
  for (const table of tables) {
    const rows = await shop.database.writer.selectFrom(table).selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain('openid-secret');
  }
  expect(await shop.store.read.orders.find(order.id)).toMatchObject({ state: 'fulfilled' });
  const again = await shop.studio.identify(someone.chat, 'openid-secret', 'en');
  expect(again.id).not.toBe(someone.id);
});

test('what was just said in an erased chat is still to be answered; what was answered is gone', async () => {
  const someone = await shop.newCustomer('erased-chat');
  const chatLog = createChatLog(shop.database);
  const said = (key: string) => ({
    ...{ channel: 'web' as const, key, chatKey: 'erased-chat', payload: { key }, receivedMs: 1 },
  });
  await chatLog.record([said('answered'), said('waiting')]);
  await chatLog.handled('web', 'answered', 2);
  await shop.studio.erase(someone.id);
  expect((await chatLog.open('web', 10)).map(({ key }) => key)).toEqual(['waiting']);
  // Told again, the answered one is unknown: nothing of it was kept.
  expect(await chatLog.record([said('answered'), said('waiting')])).toHaveLength(1);
});

test('erasing at the same time, and a photo that comes in meanwhile: nothing stays', async () => {
  const someone = await shop.newCustomer();
  for (let i = 0; i < 3; i += 1) await shop.submit(someone);
  const late = shop.submit(someone).catch((error) => error.code);
  await Promise.all([1, 2, 3].map(() => shop.studio.erase(someone.id)));
  await late;
  expect(await shop.store.read.photos.list(someone.id, 10)).toEqual([]);
  await expect(shop.submit(someone)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test.each([
  ['Asia/Shanghai', '2026-11-22T16:30:00Z', '2026-11-22T16:00:00Z'],
  ['Asia/Shanghai', '2026-11-22T15:59:59.999Z', '2026-11-21T16:00:00Z'],
  ['Asia/Kathmandu', '2026-11-22T18:20:00Z', '2026-11-22T18:15:00Z'],
  ['America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z'],
  ['America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00Z'],
  ['UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
])('the day in %s of %s began at %s', (timeZone, now, start) => {
  expect(new Date(startOfDayMs(Date.parse(now), timeZone)).toISOString()).toBe(
    new Date(start).toISOString(),
  );
});
