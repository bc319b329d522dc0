import { createHmac } from 'node:crypto';
import path from 'node:path';
import { createConversation } from '../../bots/conversation/conversation.js';
import type { ConversationConfig, ConversationDeps } from '../../bots/conversation/talk.js';
import { createOperatorDesk } from '../../bots/operator-desk.js';
import { openTelegram, type TelegramChannel } from '../../bots/telegram/index.js';
import { createDesk } from '../../studio/desk.js';
import type { ChannelId } from '../../studio/ports/basics.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { Webhook } from '../../web/dependencies.js';
import { readOrCreateKey } from '../key-file.js';
import { createMessages } from '../messages.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import { createQrPicture } from './qr-picture.js';
import type { Shop } from './shop.js';
import { zipInto } from './zip-files.js';

/** Telegram's own servers: downloads by bots, uploads by bots, bytes. */
const telegramLimits = { downloadLimitBytes: 20_000_000, uploadLimitBytes: 50_000_000 };
/** A self-hosted Bot API server. */
const localLimits = { downloadLimitBytes: 2_000_000_000, uploadLimitBytes: 2_000_000_000 };
const webhookPath = '/webhook/telegram';

export interface Bots {
  readonly webhooks: readonly Webhook[];
  /** A line into the operator's own chat, where one is set; a repeated key is said once. */
  tellOperator(key: string, text: string): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Open the configured chat channels over a studio.
 * @param channels gets them added: the studio tells its customers through it.
 */
export function openBots(shell: Shell, shop: Shop, channels: Map<ChannelId, ChatChannel>): Bots {
  const { config } = shell;
  const running: TelegramChannel[] = [];
  const webhooks: Webhook[] = [];
  const { botToken, apiRoot } = config.telegram;
  if (botToken) {
    const opened = openTelegram(
      { chatLog: shop.chatLog, blobs: shop.parts.blobs, clock: shop.parts.clock },
      {
        token: botToken,
        ...(apiRoot ? { apiRoot } : {}),
        ...(config.web.publicUrl ? { webhook: webhookOf(shell, shop, botToken) } : {}),
      },
    );
    channels.set('telegram', opened.channel);
    const telegram = connect(shell, shop, opened);
    running.push(telegram);
    webhooks.push({
      path: webhookPath,
      secretHeader: 'x-telegram-bot-api-secret-token',
      receive: (secret, body) => telegram.receiveWebhook(secret, body),
    });
  }
  return {
    webhooks,
    async tellOperator(key, text) {
      const { operatorChatId } = config.telegram;
      if (operatorChatId)
        for (const bot of running) await bot.sender.say(operatorChatId, { key, text });
    },
    async start() {
      for (const bot of running) await bot.start();
    },
    async stop() {
      await Promise.all(running.map((bot) => bot.stop()));
    },
  };
}

function connect(
  shell: Shell,
  shop: Shop,
  opened: ReturnType<typeof openTelegram>,
): TelegramChannel {
  const { config } = shell;
  const { chatLog, studio, context, logger: log } = shop;
  const { blobs, clock } = shop.parts;
  const messages = createMessages(path.join(packageRoot, 'config', 'messages'));
  const { operatorChatId } = config.telegram;
  const desk = createOperatorDesk(
    {
      ...{ chatLog, messages, clock, log },
      operator: createDesk(context, shop.reports),
      say: (chat, reply) => opened.sender.say(chat.chatId, reply),
    },
    {
      language: shell.language,
      ...(operatorChatId ? { chat: { channel: 'telegram', chatId: operatorChatId } } : {}),
    },
  );
  const draw = createQrPicture(messages, config.studio.timeZone);
  const deps: ConversationDeps = {
    ...{ studio, chatLog, blobs, messages, clock, log },
    qrPicture: (order, customer) => draw(order, customer.language),
    zipFiles: (files) => zipInto(shop.parts.places.scratch, files),
    askOperator: (talk, text) => desk.ask(talk, text),
  };
  const limits = config.telegram.apiRoot ? localLimits : telegramLimits;
  const conversation = createConversation(deps, { ...conversationConfig(shell, shop), ...limits });
  return opened.connect({ ...deps, conversation, desk });
}

function conversationConfig({ config }: Shell, { context }: Shop): ConversationConfig {
  return {
    ...(config.web.publicUrl ? { publicUrl: config.web.publicUrl } : {}),
    retentionDays: config.retention.originalDays,
    presets: Object.keys(context.config.presets),
  };
}

/** The secret is ours alone: derived from a key in the data folder, the same after a restart. */
function webhookOf({ config }: Shell, shop: Shop, token: string) {
  const key = readOrCreateKey(shop.parts.places.key('webhook'));
  const secret = createHmac('sha256', key).update(token).digest('hex');
  return { url: new URL(webhookPath, config.web.publicUrl ?? '').href, secret };
}
