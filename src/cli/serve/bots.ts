import path from 'node:path';
import { type ChatBot, createChatBot } from '../../bots/chat-bot.js';
import type { Reply } from '../../bots/conversation/reply.js';
import type { ConversationDeps } from '../../bots/conversation/talk.js';
import type { Door } from '../../bots/door.js';
import { createOperatorDesk, type OperatorDesk } from '../../bots/operator-desk.js';
import type { WechatStatus } from '../../bots/wechat/wechat-session.js';
import type { ChatRef } from '../../studio/jobs.js';
import {
  type ChannelId,
  type ChatChannelId,
  chatChannelNames,
  type Messages,
} from '../../studio/ports/basics.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { HealthCheck, Webhook } from '../../web/dependencies.js';
import { operatorChat } from '../chats.js';
import { createMessages } from '../messages.js';
import { packageRoot } from '../package-root.js';
import type { Shell } from '../shell.js';
import { operatorPath } from './operator-page.js';
import { createQrPicture } from './qr-picture.js';
import type { Shop } from './shop.js';
import { openTelegram } from './telegram.js';
import type { TimedDuty } from './timers.js';
import { openWechat, type WechatOverrides } from './wechat.js';
import { zipInto } from './zip-files.js';

export interface Bots {
  readonly webhooks: readonly Webhook[];
  /** Whether each chat is connected; the studio works on without. */
  readonly health: readonly HealthCheck[];
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
  const chatBots = new Map<ChannelId, ChatBot>();
  const operator = operatorChat(shell.config);
  const say = async (chat: ChatRef, reply: Reply) =>
    chatBots.get(chat.channel)?.say(chat.chatId, reply);
  const tellOperator = async (key: string, text: string) => {
    if (operator) await say(operator, { key, text });
  };
  const { clock } = shop.parts;
  const desk = createOperatorDesk(
    {
      ...{ chatLog: shop.chatLog, messages, clock, log: shop.logger, say },
      ...{ operator: shop.operator, studio: shop.studio },
    },
    { language: shell.language, ...(operator ? { chat: operator } : {}) },
  );
  const page = () => `${more.ourUrl?.() ?? ''}${operatorPath(shop.parts.places)}`;
  const alertOf =
    (channel: ChatChannelId) =>
    (what: string, params = {}) => {
      const told = { page: page(), ...params };
      const text = messages.text(`bots.${channel}.alert.${what}`, shell.language, told);
      tellOperator(`${channel}:${what}:${clock.now()}`, text).catch(() => {
        shop.logger.warn(`${channel}.operatorNotTold`, { what });
      });
    };
  const telegram = openTelegram(shell, shop, { messages, alert: alertOf('telegram') });
  const wechat = openWechat(shell, shop, { alert: alertOf('wechat'), page }, more.wechat);
  const deps = { ...conversationDeps(shell, shop, { messages, desk }), desk };
  // A chat without a door does not compile.
  const doors: Readonly<Record<ChatChannelId, Door | undefined>> = {
    telegram: telegram?.door,
    wechat,
  };
  for (const channel of chatChannelNames) {
    const door = doors[channel];
    if (!door) continue;
    const bot = createChatBot(deps, conversationConfig(shell, shop), door);
    chatBots.set(channel, bot);
    channels.set(channel, bot.channel);
  }
  return {
    webhooks: telegram ? [telegram.webhook] : [],
    health: Object.values(doors).flatMap(checksOf),
    ...{ tellOperator, duty: forgetting(shop) },
    ...(wechat ? { wechat: wechat.status } : {}),
    async start() {
      for (const bot of chatBots.values()) await bot.start();
      await desk.start();
    },
    async stop() {
      await Promise.all([desk.stop(), ...[...chatBots.values()].map((bot) => bot.stop())]);
    },
  };
}

function checksOf(door: Door | undefined): readonly HealthCheck[] {
  const { id, check } = door ?? {};
  if (!id || !check) return [];
  return [{ name: id, dispensable: true, check: async () => check() }];
}

/** Longer than anybody presses an old button, shorter than a photo's own history. */
const rememberMs = 60 * 86_400_000;

function forgetting({ chatLog, parts }: Shop): TimedDuty {
  const run = () => chatLog.forget(parts.clock.now() - rememberMs);
  return { name: 'chatMemory', everyMs: 6 * 3_600_000, run };
}

/** What every channel's conversation works with. */
function conversationDeps(
  { config }: Shell,
  shop: Shop,
  { messages, desk }: { messages: Messages; desk: OperatorDesk },
): ConversationDeps {
  const { chatLog, studio, logger: log } = shop;
  const { blobs, clock, places } = shop.parts;
  const draw = createQrPicture(messages, config.studio.timeZone);
  return {
    ...{ studio, chatLog, blobs, messages, clock, log },
    qrPicture: (order, customer) => draw(order, customer.language),
    zipFiles: (files) => zipInto(places.scratch, files),
    operatorListens: desk.listens,
    askRefund: (talk, order) => desk.askRefund(talk, order),
    askOperator: (talk, text) => desk.ask(talk, text),
    askToJoin: (talk, olderCode) => desk.askToJoin(talk, olderCode),
  };
}

function conversationConfig({ config }: Shell, { context }: Shop) {
  return {
    ...(config.web.publicUrl ? { publicUrl: config.web.publicUrl } : {}),
    timeZone: config.studio.timeZone,
    retentionDays: config.retention.originalDays,
    presets: Object.keys(context.config.presets),
  };
}
