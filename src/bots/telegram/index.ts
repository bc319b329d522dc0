import type { Clock, Logger, Messages } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { Conversation } from '../conversation/conversation.js';
import { createIncomingAlbums, type IncomingAlbums } from '../incoming-albums.js';
import type { OperatorDesk } from '../operator-desk.js';
import { createProgressFollower } from '../progress-follower.js';
import { SendPace, telegramPace } from '../send-pace.js';
import { Turns } from '../turns.js';
import { createTelegramAlone, type TelegramAlone } from './telegram-alone.js';
import { createTelegramBot, type TelegramBot, type TelegramBotConfig } from './telegram-bot.js';
import { createTelegramChannel } from './telegram-channel.js';
import { createTelegramCalls } from './telegram-client.js';
import { createTelegramHandler } from './telegram-handler.js';
import { createTelegramSender, type TelegramSender } from './telegram-sender.js';

/**
 * Telegram's apps send ten at most as one group, whose photos come as updates of their own within
 * a moment; larger selections are groups one after the other.
 */
const albumRules = {
  quietMs: 1_200,
  gatherMaxMs: 5_000,
  betweenMs: 6_000,
  batchPhotos: 10,
  marksGroups: true,
};

export interface TelegramDeps {
  readonly studio: Studio;
  readonly chatLog: ChatLog;
  readonly blobs: Blobs;
  readonly messages: Messages;
  readonly clock: Clock;
  readonly log: Logger;
  readonly conversation: Conversation;
  readonly desk: OperatorDesk;
}

export interface TelegramChannel extends Omit<TelegramBot, 'start' | 'stop'> {
  readonly channel: ChatChannel;
  readonly sender: TelegramSender;
  /** Receive and answer. */
  start(): Promise<void>;
  /** No new updates; what runs is finished. */
  stop(): Promise<void>;
}

/**
 * Telegram in two steps, because the studio needs the outbound side and the inbound side needs the
 * studio: `openTelegram(...)` gives the channel, `connect(deps)` the rest.
 */
export function openTelegram(
  deps: { chatLog: ChatLog; blobs: Blobs; clock: Clock },
  config: TelegramBotConfig,
) {
  const pace = new SendPace(deps.clock, telegramPace);
  const calls = createTelegramCalls(config, pace);
  const sender = createTelegramSender({ ...deps, calls });
  const news = new Turns();
  let conversation: Conversation | undefined;
  let alone: TelegramAlone;
  const channel = createTelegramChannel({
    conversation: () => {
      if (!conversation) throw new Error('telegram is not connected yet');
      return conversation;
    },
    ...{ sender, calls, news },
    alone: () => alone,
  });

  function connect(more: TelegramDeps): TelegramChannel {
    conversation = more.conversation;
    const talk = more.conversation;
    const progress = createProgressFollower(more, async (customerId, chat, event) => {
      const customer = await more.studio.profile(customerId);
      const replies = await talk.tell({ customer, chat }, event, `progress:${customerId}`);
      for (const reply of replies) await sender.say(chat.chatId, reply).catch(() => {});
    });
    let albums: IncomingAlbums;
    let bot: TelegramBot;
    alone = createTelegramAlone({ ...more, sender, botName: () => bot.name() });
    const handler = createTelegramHandler({
      ...more,
      ...{ sender, calls, progress, alone, news },
      albums: () => albums,
      botName: () => bot.name(),
    });
    const rules = { channel: 'telegram', ...albumRules } as const;
    albums = createIncomingAlbums(more, rules, handler.albums);
    bot = createTelegramBot({ ...more, calls, handle: handler.handle }, config);
    return {
      ...{ channel, sender },
      name: bot.name,
      state: bot.state,
      receiveWebhook: bot.receiveWebhook,
      async start() {
        await albums.start();
        await bot.start();
      },
      async stop() {
        await bot.stop();
        await albums.stop();
        progress.stop();
        await sender.idle();
      },
    };
  }

  return { channel, sender, connect };
}
