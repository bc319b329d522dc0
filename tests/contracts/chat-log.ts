import { createChatLog } from '../../src/storage/chat-store.js';
import type { Database } from '../../src/storage/database.js';
import type { ChatUpdate } from '../../src/studio/ports/chat-log.js';

/** What the memory of the chats promises, on every database. */
export function chatLogContract(name: string, open: () => Promise<Database>): void {
  describe(`chat log contract: ${name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
    });
    afterAll(() => database.close());
    const log = () => createChatLog(database);
    const update = (key: string, chatKey = 'c1'): ChatUpdate => ({
      channel: 'telegram',
      key,
      chatKey,
      payload: { text: `say ${key}`, nested: [1, null, '中文'] },
      receivedMs: 1_000,
    });

    test('updates are recorded once, whoever repeats them, and answered in order', async () => {
      const first = await log().record([update('1'), update('2'), update('2'), update('3')]);
      expect(first.map((u) => u.key)).toEqual(['1', '2', '3']);
      expect((await log().record([update('3'), update('4')])).map((u) => u.key)).toEqual(['4']);
      expect(await log().record([])).toEqual([]);
      const open = await log().open('telegram', 10);
      expect(open.map((u) => u.key)).toEqual(['1', '2', '3', '4']);
      expect(open[0]).toEqual(update('1'));
      expect(await log().open('wechat', 10)).toEqual([]);
    });

    test('a hundred writers of the same update: one is first', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, () => log().record([update('race')])),
      );
      expect(outcomes.flat()).toHaveLength(1);
      await log().handled('telegram', 'race', 2_000);
    });

    test('handled updates are no longer open, and stay known until forgotten', async () => {
      for (const key of ['1', '2', '3', '4']) await log().handled('telegram', key, 2_000);
      expect(await log().open('telegram', 10)).toEqual([]);
      expect(await log().record([update('2')])).toEqual([]);
      await log().forget(2_001);
      expect(await log().record([update('2')])).toHaveLength(1);
    });

    test('a sent message gets its name once the call is through', async () => {
      const message = { channel: 'telegram', key: 'k', chatKey: 'c1', ref: '' } as const;
      expect(await log().sent('telegram', 'k')).toBeUndefined();
      await log().recordSent(message, 1);
      expect(await log().sent('telegram', 'k')).toEqual(message);
      await log().recordSent({ ...message, ref: '77' }, 2);
      expect(await log().sent('telegram', 'k')).toEqual({ ...message, ref: '77' });
      expect(await log().byRef('telegram', 'c1', '77')).toEqual({ ...message, ref: '77' });
      expect(await log().byRef('telegram', 'c2', '77')).toBeUndefined();
    });

    test('state is kept per chat and name', async () => {
      await log().setState('wechat', 'a', 'choices', [{ n: 1 }]);
      await log().setState('wechat', 'a', 'choices', [{ n: 2 }]);
      await log().setState('wechat', 'b', 'choices', []);
      await log().setState('wechat', 'b', 'other', 'x');
      expect(await log().state('wechat', 'a', 'choices')).toEqual([{ n: 2 }]);
      expect(await log().withState('wechat', 'choices', 10)).toEqual([
        { chatKey: 'a', value: [{ n: 2 }] },
        { chatKey: 'b', value: [] },
      ]);
      await log().setState('wechat', 'a', 'choices', undefined);
      expect(await log().state('wechat', 'a', 'choices')).toBeUndefined();
    });
  });
}
