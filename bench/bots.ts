import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Telegraf } from 'telegraf';
import { createInbox } from '../src/bots/inbox.js';
import { createInward } from '../src/bots/inward.js';
import { createSaidBudget } from '../src/bots/said-budget.js';
import { SendPace } from '../src/bots/send-pace.js';
import { createTelegramBot } from '../src/bots/telegram/telegram-bot.js';
import { createTelegramCalls } from '../src/bots/telegram/telegram-client.js';
import { telegramAbilities } from '../src/bots/telegram/telegram-door.js';
import { createMessages } from '../src/cli/messages.js';
import { createChatLog } from '../src/storage/chat-store.js';
import { openMigratedDatabase } from '../src/storage/database.js';
import { runTelegramLoad } from '../tests/bots/support/telegram-load.js';
import { TelegramEmulator } from '../tests/emulators/telegram/emulator.js';
import { TelegramPerson } from '../tests/emulators/telegram/person.js';

/**
 * Two things. Messages per second: a bare telegraf echo bot that keeps nothing, beside our intake, which has
 * each message durably in the database before it is confirmed to Telegram. Same emulator, same
 * machine, alternating runs. And the whole process under load, at Telegram's own pace: many chats at
 * once, 2 % faults, every message answered once and in order, no limit broken, memory flat.
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '5000' },
    chats: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '3' },
    'no-load': { type: 'boolean', default: false },
  },
});
const total = Number(values.messages);
const chatCount = Number(values.chats);
const clock = { now: () => Date.now() };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function people(emulator: TelegramEmulator): TelegramPerson[] {
  return Array.from(
    { length: chatCount },
    (_, i) => new TelegramPerson(emulator, { id: 5_000_000 + i }),
  );
}

function flood(everybody: readonly TelegramPerson[]): void {
  for (let i = 0; i < total; i++) everybody[i % chatCount]!.says(`message ${i}`);
}

async function echo(): Promise<number> {
  const emulator = await TelegramEmulator.start();
  const everybody = people(emulator);
  const bot = new Telegraf(emulator.token, {
    telegram: { apiRoot: emulator.url, webhookReply: false },
  });
  bot.on('text', (context) => context.reply(context.message.text));
  const running = bot.launch();
  await emulator.until(() => emulator.actions.some((a) => a.method === 'deleteWebhook'), 'start');
  const startMs = performance.now();
  flood(everybody);
  await emulator.until(
    () => emulator.actions.filter((a) => a.method === 'sendMessage').length === total,
    'all echoes',
    600_000,
  );
  const seconds = (performance.now() - startMs) / 1_000;
  bot.stop();
  await running;
  await emulator.close();
  return total / seconds;
}

async function intake(): Promise<number> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-bench-bots-'));
  const emulator = await TelegramEmulator.start();
  const database = await openMigratedDatabase({ file: path.join(dir, 'b.db') }, clock);
  const chatLog = createChatLog(database);
  const calls = createTelegramCalls(
    { token: emulator.token, apiRoot: emulator.url },
    new SendPace(clock, {
      allPerSecond: 1e9,
      allBurst: 1e9,
      chatIntervalMs: 0,
      chatBurst: 1e9,
      groupPerMinute: 1e9,
      groupBurst: 1e9,
    }),
  );
  let received = 0;
  const counted: typeof chatLog = {
    ...chatLog,
    record: async (updates) => {
      const fresh = await chatLog.record(updates);
      received += fresh.length;
      return fresh;
    },
  };
  const deps = { chatLog: counted, clock, log: quiet };
  // Answering is the send limits' business (30 a second); this measures taking in.
  const inbox = createInbox(deps, 'telegram', () => new Promise(() => {}));
  const channel = { id: 'telegram', abilities: telegramAbilities } as const;
  const budget = createSaidBudget(deps, 'telegram', undefined);
  const inward = createInward({ ...deps, inbox, budget }, channel);
  const bot = createTelegramBot(
    {
      ...{ calls, chatLog, log: quiet, alert() {} },
      chatKeyOf: ({ message }) => String(message?.chat.id),
      studio: { approvePreCheckout: async () => 'approved' },
      messages: createMessages(path.resolve('config/messages')),
    },
    { token: emulator.token, apiRoot: emulator.url },
  );
  const everybody = people(emulator);
  await bot.start(inward);
  await emulator.until(() => bot.state() === 'running', 'start');
  const startMs = performance.now();
  flood(everybody);
  while (received < total) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - startMs) / 1_000;
  await emulator.close();
  await database.close();
  rmSync(dir, { recursive: true, force: true });
  return total / seconds;
}

async function compare(): Promise<boolean> {
  const rates: { echo: number[]; intake: number[] } = { echo: [], intake: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    rates.echo.push(await echo());
    rates.intake.push(await intake());
  }
  const best = (list: number[]) => Math.max(...list);
  const [bare, ours] = [best(rates.echo), best(rates.intake)];
  console.log(
    `${total} messages of ${chatCount} chats, best of ${values.rounds} alternating rounds`,
  );
  console.log(`bare telegraf echo, nothing kept      ${bare.toFixed(0).padStart(8)} messages/s`);
  console.log(`our intake, each one durable (SQLite) ${ours.toFixed(0).padStart(8)} messages/s`);
  console.log(`ratio ${(ours / bare).toFixed(2)} (target at least 0.50)`);
  return ours / bare >= 0.5;
}

async function load(): Promise<boolean> {
  const report = await runTelegramLoad({ chats: chatCount, messages: total, seed: 1 });
  const { wrong, answers, refused, seconds, halfMb, endMb } = report;
  console.log(
    `\nwhole process, ${chatCount} chats, ${total} messages, 2 % faults, limits enforced`,
  );
  console.log(`answers ${answers}, missing or out of order ${wrong.length}`);
  console.log(`${(answers / seconds).toFixed(1)} answers/s; met a limit: ${refused.length}`);
  console.log(`resident memory ${halfMb.toFixed(0)} MB at half, ${endMb.toFixed(0)} MB at the end`);
  for (const line of wrong.slice(0, 10)) console.log(line);
  return answers === total && wrong.length === 0 && refused.length <= total * 0.01;
}

async function main(): Promise<void> {
  const isFast = await compare();
  const isRight = values['no-load'] || (await load());
  process.exit(isFast && isRight ? 0 : 1);
}

void main();
