import { auditLedger } from '../../src/storage/audit.js';
import type { DatabaseConfig } from '../../src/storage/database.js';
import { createContext, createStudio } from '../../src/studio/create-studio.js';
import { accounts, transfer } from '../../src/studio/ledger.js';
import type { PhotoView } from '../../src/studio/ports/studio.js';
import { openShop, type Shop } from '../support/shop.js';

/** What must hold when everybody wants something at the same moment. */
export function studioConcurrency(
  database: () => Promise<{ config: Partial<DatabaseConfig>; stop: () => Promise<void> }>,
): void {
  let shop: Shop;
  let stop: () => Promise<void>;
  beforeEach(async () => {
    const given = await database();
    stop = given.stop;
    shop = await openShop({ database: given.config });
  });
  afterEach(async () => {
    await shop.close();
    await stop();
  });

  const give = (customerId: string, amount: number) =>
    shop.store.transaction((tables) =>
      transfer(tables, shop.context, {
        key: `test:${customerId}`,
        from: accounts.given(),
        to: accounts.credits(customerId),
        amount,
      }),
    );

  test('200 simultaneous unlocks with credits for 3 deliver exactly 3', async () => {
    const someone = await shop.newCustomer();
    const photos: PhotoView[] = [];
    for (let i = 0; i < 8; i += 1) photos.push(await shop.readyPhoto(someone));
    await give(someone.id, 3);
    const wishes = Array.from({ length: 200 }, (_, i) =>
      shop.studio
        .unlock(someone.id, [photos[i % photos.length]!.id], {
          ...{ key: `wish-${i}`, chat: someone.chat, method: 'credits' },
        })
        .catch((error) => error.code as string),
    );
    const answers = await Promise.all(wishes);
    await shop.drain();
    const refused = answers.filter((answer) => answer === 'CREDITS_INSUFFICIENT');
    const unlocked = answers.filter((answer) => typeof answer !== 'string');
    expect(refused.length + unlocked.length).toBe(200);
    const views = await Promise.all(photos.map(({ id }) => shop.studio.photo(someone.id, id)));
    expect(views.filter((view) => view.unlocked && view.masterKey)).toHaveLength(3);
    expect((await shop.studio.profile(someone.id)).credits).toBe(0);
    expect(await auditLedger(shop.database.raw)).toEqual([]);
  });

  test('one photo wanted 50 times at once is paid for once', async () => {
    const someone = await shop.newCustomer();
    const photo = await shop.readyPhoto(someone);
    await give(someone.id, 50);
    const wishes = Array.from({ length: 50 }, (_, i) =>
      shop.studio.unlock(someone.id, [photo.id], { key: `wish-${i}`, chat: someone.chat }),
    );
    expect(new Set((await Promise.all(wishes)).map(({ status }) => status))).toEqual(
      new Set(['unlocked']),
    );
    await shop.drain();
    expect((await shop.studio.profile(someone.id)).credits).toBe(49);
    expect(await auditLedger(shop.database.raw)).toEqual([]);
  });

  test('a customer who appears twice at once is one customer, welcomed once', async () => {
    const context = createContext(shop.context, {
      ...shop.context.config,
      prices: { ...shop.context.config.prices, welcomeCredits: 2 },
    });
    const studio = createStudio(context);
    const chat = { channel: 'web', chatId: 'c' } as const;
    const seen = await Promise.all(
      Array.from({ length: 20 }, () => studio.identify(chat, 'same', 'en')),
    );
    expect(new Set(seen.map(({ id }) => id)).size).toBe(1);
    expect((await studio.profile(seen[0]!.id)).credits).toBe(2);
    studio.close();
  });

  test('the same upload ten times at once is one photo', async () => {
    const someone = await shop.newCustomer();
    const files = await Promise.all(Array.from({ length: 10 }, () => shop.picture()));
    const photos = await Promise.all(
      files.map((file) =>
        shop.studio.submitPhoto({ customerId: someone.id, chat: someone.chat, key: 'one', file }),
      ),
    );
    expect(new Set(photos.map(({ id }) => id)).size).toBe(1);
  });
}
