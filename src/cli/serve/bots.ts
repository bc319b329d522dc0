import path from 'node:path';
import { type Conversation, createConversation } from '../../bots/conversation/conversation.js';
import type { Reply } from '../../bots/conversation/reply.js';
import type { ConversationConfig, ConversationDeps } from '../../bots/conversation/talk.js';
import { createOperatorDesk, type OperatorDesk } from '../../bots/operator-desk.js';
import type { WechatStatus } from '../../bots/wechat/wechat-session.js';
import { createDesk } from '../../studio/desk.js';
import type { ChatRef } from '../../studio/jobs.js';
import type { ChannelId } from '../../studio/ports/basics.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { Webhook } from '../../web/dependencies.js';
import { operatorChat } from '../chats.js';
import { createMessages } from '../messages.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import { operatorPath } from './operator-page.js';
import { createQrPicture } from './qr-picture.js';
import type { Shop } from './shop.js';
import { openTelegramBot, webhookOfBot } from './telegram.js';
import type { TimedDuty } from './timers.js';
import { openWechatBot, type WechatOverrides } from './wechat.js';
import { zipInto } from './zip-files.js';

interface Bot {
  start(): Promise<void>;
  stop(): Promise<void>;
}

type Say = (chatId: string, reply: Reply) => Promise<void>;

export interface Bots {
  readonly webhooks: readonly Webhook[];
  /** Login of the WeChat account; absent without one. */
  readonly wechat?: () => WechatStatus;
  /** Forgets what the chats no longer need. */
  readonly duty: TimedDuty;
  /** A line into the operator's own chat, where one is set; a repeated key is said once. */
  tellOperator(key: string, text: string): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Open the configured chat channels over a studio.
 * @param channels gets them added: the studio tells its customers through it.
 * @throws {WechatPuppetMissing | WechatTokenMissing}
 */
export function openBots(
  shell: Shell,
  shop: Shop,
  channels: Map<ChannelId, ChatChannel>,
  more: { wechat?: WechatOverrides; ourUrl?: () => string } = {},
): Bots {
  const messages = createMessages(path.join(packageRoot, 'config', 'messages'));
  const running: Bot[] = [];
  const webhooks: Webhook[] = [];
  const senders = new Map<ChannelId, Say>();
  const operator = operatorChat(shell.config);
  const say = async (chat: ChatRef, reply: Reply) =>
    senders.get(chat.channel)?.(chat.chatId, reply);
  const tellOperator = async (key: string, text: string) => {
    if (operator) await say(operator, { key, text });
  };
  const { clock } = shop.parts;
  const desk = createOperatorDesk(
    {
      ...{ chatLog: shop.chatLog, messages, clock, log: shop.logger, say },
      operator: createDesk(shop.context, shop.reports),
    },
    { language: shell.language, ...(operator ? { chat: operator } : {}) },
  );
  const talkOver = talker(shell, shop, desk);

  const telegram = openTelegramBot(shell, shop);
  if (telegram) {
    channels.set('telegram', telegram.channel);
    senders.set('telegram', telegram.sender.say);
    const bot = telegram.connect(talkOver(telegram.limits));
    running.push(bot);
    webhooks.push(webhookOfBot(bot));
  }
  const page = () => `${more.ourUrl?.() ?? ''}${operatorPath(shop.parts.places)}`;
  const alert = (what: string) => {
    const text = messages.text(`bots.wechat.alert.${what}`, shell.language, { page: page() });
    tellOperator(`wechat:${what}:${clock.now()}`, text).catch(() => {
      shop.logger.warn('wechat.operatorNotTold', { what });
    });
  };
  const wechat = openWechatBot(shell, shop, { messages, alert, page }, more.wechat);
  const wechatBot = wechat?.connect(talkOver(wechat.limits));
  if (wechat && wechatBot) {
    channels.set('wechat', wechat.channel);
    senders.set('wechat', wechat.sender.say);
    running.push(wechatBot);
  }
  return {
    ...{ webhooks, tellOperator, duty: forgetting(shop) },
    ...(wechatBot ? { wechat: wechatBot.status } : {}),
    async start() {
      for (const bot of running) await bot.start();
      await desk.start();
    },
    async stop() {
      await Promise.all([desk.stop(), ...running.map((bot) => bot.stop())]);
    },
  };
}

/** Longer than anybody presses an old button, shorter than a photo's own history. */
const rememberMs = 60 * 86_400_000;

function forgetting({ chatLog, parts }: Shop): TimedDuty {
  const run = () => chatLog.forget(parts.clock.now() - rememberMs);
  return { name: 'chatMemory', everyMs: 6 * 3_600_000, run };
}

/** The conversation for a channel, within the channel's limits. */
function talker(shell: Shell, shop: Shop, desk: OperatorDesk) {
  const { chatLog, studio, logger: log, context } = shop;
  const { config } = shell;
  const { blobs, clock } = shop.parts;
  const messages = createMessages(path.join(packageRoot, 'config', 'messages'));
  const draw = createQrPicture(messages, config.studio.timeZone);
  const deps: ConversationDeps = {
    ...{ studio, chatLog, blobs, messages, clock, log },
    qrPicture: (order, customer) => draw(order, customer.language),
    zipFiles: (files) => zipInto(shop.parts.places.scratch, files),
    askOperator: (talk, text) => desk.ask(talk, text),
    askToJoin: (talk, olderCode) => desk.askToJoin(talk, olderCode),
  };
  const shared: ConversationConfig = {
    ...(config.web.publicUrl ? { publicUrl: config.web.publicUrl } : {}),
    timeZone: config.studio.timeZone,
    retentionDays: config.retention.originalDays,
    presets: Object.keys(context.config.presets),
  };
  return (limits: Partial<ConversationConfig>) => {
    const conversation: Conversation = createConversation(deps, { ...shared, ...limits });
    return { ...deps, conversation, desk };
  };
}
