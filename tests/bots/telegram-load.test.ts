import { readFileSync } from 'node:fs';
import { type Fault, seededRandom } from '../emulators/faults.js';
import { telegramLimits } from '../emulators/telegram/limits.js';
import { TelegramPerson } from '../emulators/telegram/person.js';
import { openTelegramShop } from './support/telegram-shop.js';

/**
 * Many chats at once, with faults on both sides of the line and Telegram's limits enforced. Full
 * length: `LOAD_CHATS=500 LOAD_MESSAGES=5000 npx jest tests/bots/telegram-load`.
 */
const chats = Number(process.env['LOAD_CHATS'] ?? 40);
const messages = Number(process.env['LOAD_MESSAGES'] ?? 160);
const seed = Number(process.env['LOAD_SEED'] ?? 1);

/** Each command has an answer of its own, so that the order can be seen. */
const exchange: readonly (readonly [string, RegExp])[] = [
  ['/credits', /Credits: \d+/],
  ['/history', /no photos yet/],
  ['/settings', /Style for new photos/],
  ['/help', /Send a photo, several at once/],
  ['just words', /Send me a photo, or/],
];

/**
 * Faults after which the bot can know that nothing arrived. When only the answer is lost nobody
 * can: important messages are then repeated, on purpose (docs/bots/telegram.md).
 */
const faults: readonly Fault[] = ['html502', 'http500', 'systemError'];

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const clean of cleanups) await clean();
});

test(
  `${chats} chats, ${messages} messages, 2 % faults: each answered once, in order, no limit broken`,
  async () => {
    const shop = await openTelegramShop({}, { limits: telegramLimits });
    const { emulator } = shop;
    cleanups.push(shop.close);
    await emulator.until(() => emulator.actions.some((a) => a.method === 'deleteWebhook'), 'start');
    const random = seededRandom(seed);
    emulator.faults = () =>
      random() < 0.02 ? faults[Math.floor(random() * faults.length)] : undefined;
    const people = Array.from(
      { length: chats },
      (_, i) => new TelegramPerson(emulator, { id: 6_000_000 + i, language: 'en' }),
    );
    const expected = new Map(people.map((person) => [person, [] as RegExp[]]));
    const warm = residentKb(shop.pid());
    for (let i = 0; i < messages; i++) {
      const person = people[i % chats]!;
      const turn = expected.get(person)!;
      const [says, answer] = exchange[turn.length % exchange.length]!;
      turn.push(answer);
      person.says(says);
    }
    const received = () => people.reduce((sum, person) => sum + person.received.length, 0);
    const patienceMs = 60_000 + messages * 60;
    await emulator.until(() => received() >= messages, 'all answers', patienceMs);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(received()).toBe(messages);
    for (const [person, answers] of expected)
      for (const [i, m] of person.received.entries()) expect(m.text).toMatch(answers[i]!);
    // The bot's own pace keeps the limits. On a crowded machine a held-up process sends or sees a
    // few messages at once; such a one is refused, waits as told, and is still said once.
    const refused = emulator.meter.reasons;
    console.info(`${refused.length} of ${messages} messages met a limit: ${refused.join('; ')}`);
    expect(refused.length).toBeLessThanOrEqual(Math.ceil(messages * 0.03));
    const grownMb = (residentKb(shop.pid()) - warm) / 1024;
    console.info(`resident memory grew by ${grownMb.toFixed(0)} MB over ${messages} messages`);
    expect(grownMb).toBeLessThan(250);
  },
  120_000 + messages * 80,
);
