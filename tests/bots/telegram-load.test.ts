import { runTelegramLoad } from './support/telegram-load.js';

const chats = 40;
const messages = 160;

/** Small; the full length, 500 chats and 5,000 messages, is `npm run bench:bots`. */
test(
  `${chats} chats, ${messages} messages, 2 % faults: each answered once, in order, no limit broken`,
  async () => {
    const report = await runTelegramLoad({ chats, messages, seed: 1 });
    expect(report.wrong).toEqual([]);
    expect(report.answers).toBe(messages);
    // The bot's own pace keeps the limits. On a crowded machine a held-up process sends or sees a
    // few messages at once; such a one is refused, waits as told, and is still said once.
    expect(report.refused.length).toBeLessThanOrEqual(Math.ceil(messages * 0.03));
    expect(report.endMb - report.halfMb).toBeLessThan(100);
  },
  120_000 + messages * 80,
);
