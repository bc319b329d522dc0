import { setTimeout as wait } from 'node:timers/promises';
import { StudioError } from '../studio/errors/index.js';
import type { ChatRef } from '../studio/jobs.js';
import type { ChannelId, Clock, Language, Logger, Messages } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Desk } from '../studio/ports/desk.js';
import type { Reply } from './conversation/reply.js';
import { priceText, type Talk } from './conversation/talk.js';

const stuckMax = 10;
const broadcastSinceMs = 90 * 86_400_000;
/** Well under every channel's own pace: customers' own conversations go first. */
const broadcastIntervalMs = 250;

export interface DeskConfig {
  readonly chat?: ChatRef;
  readonly language: Language;
}

export interface OperatorDesk {
  /** Whether this chat is the operator's own. */
  isDesk(channel: ChannelId, chatId: string): boolean;
  /** A customer's words to the operator. @returns false when there is no operator's chat. */
  ask(talk: Talk, text: string): Promise<boolean>;
  /** A message in the operator's chat. @returns false when it is nothing for the desk. */
  handle(message: { text: string; repliesTo?: string; key: string }): Promise<boolean>;
}

type Say = (chat: ChatRef, reply: Reply) => Promise<void>;

/** The operator's own chat: customers' questions, numbers, refunds, pause, broadcast. */
export function createOperatorDesk(
  deps: {
    operator: Desk;
    chatLog: ChatLog;
    messages: Messages;
    clock: Clock;
    log: Logger;
    say: Say;
  },
  config: DeskConfig,
): OperatorDesk {
  const { chat } = config;
  const text = (key: string, params?: Readonly<Record<string, string | number>>) =>
    deps.messages.text(`bots.desk.${key}`, config.language, params);

  async function answerCustomer(ref: string, words: string, key: string): Promise<boolean> {
    if (!chat) return false;
    const asked = await deps.chatLog.byRef(chat.channel, chat.chatId, ref);
    const customerCode = asked && /:ask:([^:]+)$/.exec(asked.key)?.[1];
    if (!customerCode) return false;
    await deps.operator.answer(customerCode, words, `answer:${key}`);
    await deps.say(chat, { key: `desk:${key}`, text: text('answered') });
    return true;
  }

  /** Where messages cannot be replied to one by one. */
  async function answerByCode(rest: string, key: string): Promise<string> {
    const [, code, words] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
    if (!code || !words) return text('answerUsage');
    await deps.operator.answer(code.toUpperCase(), words, `answer:${key}`);
    return text('answered');
  }

  const commands: Readonly<Record<string, (rest: string, key: string) => Promise<string>>> = {
    today: () => today(deps.operator, text),
    stuck: () => stuck(deps.operator, text),
    refund: (rest, key) => refund(deps.operator, text, rest, key),
    pause: async () => {
      await deps.operator.setPaused(true);
      return text('paused');
    },
    resume: async () => {
      await deps.operator.setPaused(false);
      return text('resumed');
    },
    answer: (rest, key) => answerByCode(rest, key),
    broadcast: (rest, key) => broadcast(rest, key),
    desk: async () => text('help'),
  };

  async function broadcast(words: string, key: string): Promise<string> {
    if (!chat || !words) return text('broadcastUsage');
    const since = deps.clock.now() - broadcastSinceMs;
    const to = await deps.operator.chats(chat.channel, since);
    void sendToAll(to, words, key).catch((error) =>
      deps.log.error('desk.broadcast', { err: error }),
    );
    return text('broadcasting', { count: to.length });
  }

  async function sendToAll(to: readonly ChatRef[], words: string, key: string): Promise<void> {
    let reached = 0;
    for (const one of to) {
      try {
        await deps.say(one, { key: `broadcast:${key}`, text: words });
        reached += 1;
      } catch {
        // Blocked or away: the others still hear it.
      }
      await wait(broadcastIntervalMs);
    }
    deps.log.info('desk.broadcastDone', { reached, of: to.length });
    if (chat)
      await deps.say(chat, { key: `done:${key}`, text: text('broadcastDone', { reached }) });
  }

  return {
    isDesk: (channel, chatId) => chat?.channel === channel && chat.chatId === chatId,
    async ask(talk, words) {
      if (!chat) return false;
      const { customer } = talk;
      await deps.say(chat, {
        // One message per question; the end of the key says whose it is.
        key: `${talk.key}:ask:${customer.customerCode}`,
        text: text('question', { code: customer.customerCode, text: words }),
      });
      return true;
    },
    async handle({ text: words, repliesTo, key }) {
      if (!chat) return false;
      if (repliesTo && (await answerCustomer(repliesTo, words, key))) return true;
      const command = /^\/([a-z]+)(?:@\w+)?\s*([\s\S]*)$/i.exec(words.trim());
      const run = command && commands[command[1]!.toLowerCase()];
      if (!run) return false;
      const told = await run(command[2]!.trim(), key).catch((error: unknown) => {
        if (!(error instanceof StudioError)) throw error;
        return deps.messages.text(error.messageKey, config.language, error.params);
      });
      await deps.say(chat, { key: `desk:${key}`, text: told });
      return true;
    },
  };
}

type Text = (key: string, params?: Readonly<Record<string, string | number>>) => string;

async function today(operator: Desk, text: Text): Promise<string> {
  const now = await operator.today();
  const { photos, ready, failed, waiting, newCustomers, quarantined } = now;
  const money = now.paid.map(({ currency, orders, amountMinor }) =>
    text('money', { orders, amount: priceText(amountMinor, currency) }),
  );
  return [
    text('today', { photos, ready, failed, waiting, newCustomers }),
    ...(money.length > 0 ? money : [text('noMoney')]),
    ...(quarantined > 0 ? [text('quarantined', { count: quarantined })] : []),
    ...(now.paused ? [text('paused')] : []),
  ].join('\n');
}

async function stuck(operator: Desk, text: Text): Promise<string> {
  const photos = await operator.stuck(stuckMax);
  if (photos.length === 0) return text('noneStuck');
  return photos
    .map(({ photoId, customerCode, state, idleMs, lastError = '' }) =>
      text('stuckLine', {
        ...{ photoId, customerCode, state, lastError },
        minutes: Math.round(idleMs / 60_000),
      }),
    )
    .join('\n');
}

async function refund(operator: Desk, text: Text, rest: string, key: string): Promise<string> {
  const [orderId, second = '', ...words] = rest.split(/\s+/);
  if (!orderId) return text('refundUsage');
  const partial = /^\d+$/.test(second);
  const reason = [partial ? '' : second, ...words].join(' ').trim() || 'operator';
  const done = await operator.refund(orderId, {
    ...(partial ? { amountMinor: Number(second) } : {}),
    reason,
    key: `desk:${key}`,
  });
  return text('refunding', { orderId, amount: priceText(done.amountMinor, done.currency) });
}
