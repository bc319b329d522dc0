import { ChannelAway } from '../../studio/errors/index.js';
import type { Clock, Messages } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { Abilities } from '../abilities.js';
import type { Door, GroupRules, Inward } from '../door.js';
import { SendPace, telegramPace } from '../send-pace.js';
import {
  createTelegramBot,
  type TelegramBot,
  type TelegramBotConfig,
  type TelegramBotDeps,
} from './telegram-bot.js';
import { createTelegramChats, groupOf, isTelegramGroup } from './telegram-chats.js';
import { createTelegramCalls, type TelegramCalls, TelegramRefused } from './telegram-client.js';
import { fetchTelegramFile } from './telegram-files.js';
import { createTelegramMessages } from './telegram-messages.js';
import { createTelegramMoves } from './telegram-moves.js';
import { createTelegramReader } from './telegram-reader.js';
import { chatOf, type TelegramUpdate } from './telegram-update.js';

/**
 * Telegram's apps send ten at most as one group, whose photos come as updates of their own within
 * a moment; larger selections are groups one after the other.
 */
const albums = {
  quietMs: 1_200,
  gatherMaxMs: 5_000,
  betweenMs: 6_000,
  batchPhotos: 10,
  marksGroups: true,
};

/** Telegram's own servers: downloads by bots, uploads by bots, bytes. */
const cloudLimits = { downloadLimitBytes: 20_000_000, uploadLimitBytes: 50_000_000 };
/** A self-hosted Bot API server. */
const localLimits = { downloadLimitBytes: 2_000_000_000, uploadLimitBytes: 2_000_000_000 };

/** What the Bot API carries; the sizes of files depend on the server. */
export const telegramAbilities: Abilities = {
  ...{ buttonsMax: 100, edits: true, replies: true, picturesTogether: 10 },
  ...{ textMax: 4_096, captionMax: 1_024, incomingCaptions: true },
};

/** The door, and what of the bot others look at. */
export interface TelegramDoor extends Door, Pick<TelegramBot, 'receiveWebhook'> {}

/** Telegram: one bot, long polling or a webhook. */
export function openTelegramDoor(
  deps: Omit<TelegramBotDeps, 'calls' | 'studio' | 'chatKeyOf'> & {
    readonly studio: Studio;
    readonly blobs: Blobs;
    readonly clock: Clock;
  },
  config: TelegramBotConfig,
): TelegramDoor {
  const moves = createTelegramMoves(deps);
  const calls = createTelegramCalls(config, new SendPace(deps.clock, telegramPace), moves);
  const chats = createTelegramChats(moves);
  const { send, edit } = createTelegramMessages({ ...deps, calls, chats });
  const chatKeyOf = (update: TelegramUpdate) => chatOf(update, chats);
  const bot = createTelegramBot({ ...deps, calls, chatKeyOf }, config);
  const read = createTelegramReader({ ...deps, calls, chats, moves, botName: bot.name });
  const open = async (inward: Inward) => {
    await moves.start();
    await inward.open();
  };
  return {
    id: 'telegram',
    abilities: { ...telegramAbilities, ...(config.apiRoot ? localLimits : cloudLimits) },
    ...{ keyPrefix: 'tg', language: 'en', newsWait: false, canBeBlocked: true, albums },
    groups: groupRules(deps.messages, bot),
    start: (inward) => bot.start({ ...inward, open: () => open(inward) }),
    stop: bot.stop,
    check: () => checked(bot.state()),
    receiveWebhook: bot.receiveWebhook,
    understand: ({ payload }, asks) => read(payload as TelegramUpdate, asks),
    ...{ send, edit },
    working: (chatId) => showWorking(calls, chats.addressOf(chatId)),
    fetchFile: (fileRef, file, signal) => fetchTelegramFile(calls, fileRef, file, signal),
  };
}

/** @throws why it is not connected. */
function checked(state: ReturnType<TelegramBot['state']>): string {
  if (state === 'away') throw new ChannelAway('telegram');
  if (state === 'refused') throw new TelegramRefused('getUpdates', 401, 'the token is refused');
  if (state === 'conflict') throw new TelegramRefused('getUpdates', 409, 'another program polls');
  return state;
}

/** "Sends a photo..." beside the bot's name, for five seconds; nothing depends on it. */
async function showWorking({ call }: TelegramCalls, address: object): Promise<void> {
  await call('sendChatAction', { ...address, action: 'upload_photo' }).catch(() => {});
}

/** Whoever never opened a chat with the bot cannot be written to: a link leads there. */
function groupRules(messages: Messages, bot: TelegramBot): GroupRules {
  return {
    isGroup: isTelegramGroup,
    wholeOf: groupOf,
    onePhotoOfAlbum() {
      // Unless it is an admin, or may read everything, only the photo with its name reaches a bot.
      if (bot.self()?.can_read_all_group_messages) return undefined;
      return { messageKey: 'bots.albumHidden', params: { bot: bot.name() } };
    },
    invitation({ language }, key) {
      const url = `https://t.me/${bot.name()}?start=hd`;
      const label = messages.text('bots.button.openChat', language);
      const text = messages.text('bots.openChat', language);
      return { key: `open:${key}`, text, choices: [[{ label, url }]] };
    },
  };
}
