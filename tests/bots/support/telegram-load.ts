import { readFileSync } from 'node:fs';
import { type Fault, seededRandom } from '../../emulators/faults.js';
import { telegramLimits } from '../../emulators/telegram/limits.js';
import { TelegramPerson } from '../../emulators/telegram/person.js';
import { openTelegramShop } from './telegram-shop.js';

export interface TelegramLoad {
  readonly chats: number;
  readonly messages: number;
  readonly seed: number;
}

export interface TelegramLoadReport {
  /** Questions without their answer at its place, as `chat: expected, got`. */
  readonly wrong: readonly string[];
  readonly answers: number;
  /** Messages that met one of Telegram's limits; they were refused, and said once later. */
  readonly refused: readonly string[];
  readonly seconds: number;
  /** Resident memory of the process, MB, when half and when all was answered. */
  readonly halfMb: number;
  readonly endMb: number;
}

/** Each command has an answer of its own, so that the order can be seen. */
const exchange: readonly (readonly [string, RegExp])[] = [
  ['/credits', /^Credits: \d+/],
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
const faultShare = 0.02;

/** Many chats at once over the real process, with Telegram's limits enforced and 2 % faults. */
export async function runTelegramLoad(load: TelegramLoad): Promise<TelegramLoadReport> {
  const shop = await openTelegramShop({}, { limits: telegramLimits });
  const { emulator } = shop;
  try {
    await emulator.until(() => emulator.actions.some((a) => a.method === 'deleteWebhook'), 'start');
    const random = seededRandom(load.seed);
    emulator.faults = () =>
      random() < faultShare ? faults[Math.floor(random() * faults.length)] : undefined;
    const people = Array.from(
      { length: load.chats },
      (_, i) => new TelegramPerson(emulator, { id: 6_000_000 + i, language: 'en' }),
    );
    const startMs = performance.now();
    const expected = new Map(people.map((person) => [person, [] as RegExp[]]));
    for (let i = 0; i < load.messages; i++) {
      const person = people[i % load.chats]!;
      const turn = expected.get(person)!;
      const [says, answer] = exchange[turn.length % exchange.length]!;
      turn.push(answer);
      person.says(says);
    }
    const received = () => people.reduce((sum, person) => sum + person.received.length, 0);
    const patienceMs = 60_000 + load.messages * 60;
    await emulator.until(() => received() >= load.messages / 2, 'half of it', patienceMs);
    const halfMb = residentMb(shop.pid());
    await emulator.until(() => received() >= load.messages, 'all answers', patienceMs);
    const seconds = (performance.now() - startMs) / 1_000;
    // Nothing may come after that.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    return {
      wrong: [...expected].flatMap(([person, answers]) => wrongIn(person, answers)),
      answers: received(),
      refused: emulator.meter.reasons,
      ...{ seconds, halfMb, endMb: residentMb(shop.pid()) },
    };
  } finally {
    await shop.close();
  }
}

function wrongIn(person: TelegramPerson, answers: readonly RegExp[]): string[] {
  const got = person.received.map((m) => m.text ?? '');
  const longest = Math.max(got.length, answers.length);
  return Array.from({ length: longest }, (_, i) =>
    answers[i]?.test(got[i] ?? '') ? '' : `${person.chat.id}: ${answers[i]}, got ${got[i]}`,
  ).filter(Boolean);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}
