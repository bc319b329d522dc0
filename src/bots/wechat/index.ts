import { randomInt } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { FriendshipInterface } from 'wechaty/impls';
import { ChannelAway } from '../../studio/errors/index.js';
import type { Clock, Logger, Messages } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Studio } from '../../studio/ports/studio.js';
import type { Conversation } from '../conversation/conversation.js';
import { createInbox, type Inbox } from '../inbox.js';
import { createIncomingAlbums, type IncomingAlbums } from '../incoming-albums.js';
import type { OperatorDesk } from '../operator-desk.js';
import { createWechatChannel } from './wechat-channel.js';
import { placeOf } from './wechat-chat.js';
import { createWechatChoices } from './wechat-choices.js';
import { createWechatHandler } from './wechat-handler.js';
import { createWechatIntake } from './wechat-intake.js';
import { createWechatPace, type WechatPaceConfig } from './wechat-pace.js';
import { createWechatPeople } from './wechat-people.js';
import { resolvePuppet, type WechatPuppetConfig } from './wechat-puppet.js';
import { createWechatSender, type WechatSender } from './wechat-sender.js';
import { createWechatSession, type WechatStatus } from './wechat-session.js';
import { createWechatSpool } from './wechat-spool.js';

export interface WechatConfig extends WechatPuppetConfig, WechatPaceConfig {
  /** Photos that follow each other within this are one album. */
  readonly albumQuietMs: number;
  readonly acceptFriends: boolean;
  /** Requests without this word wait for the operator; absent: all are accepted. */
  readonly friendKeyword?: string;
  readonly graceMs: number;
  readonly reconnectMs: number;
}

/** What the operator should hear of: said in their own chat, wherever that is. */
export type WechatAlert = 'scan' | 'loggedOut' | 'running' | 'limit';

export interface WechatDeps {
  readonly studio: Studio;
  readonly conversation: Conversation;
  readonly desk: OperatorDesk;
}

export interface WechatChannel {
  readonly channel: ChatChannel;
  readonly sender: WechatSender;
  readonly status: () => WechatStatus;
  start(): Promise<void>;
  /** No new messages; what runs is finished. */
  stop(): Promise<void>;
}

const cleanMs = 3_600_000;
/** WeChat's app sends nine pictures at most in one go. */
const albumRules = { gatherMaxMs: 20_000, batchPhotos: 9, marksGroups: false };

/**
 * WeChat in two steps, because the studio needs the outbound side and the inbound side needs the
 * studio: `openWechat(...)` gives the channel, `connect(deps)` the rest.
 * @throws {WechatPuppetMissing | WechatTokenMissing}
 */
export function openWechat(
  deps: {
    chatLog: ChatLog;
    blobs: Blobs;
    messages: Messages;
    clock: Clock;
    log: Logger;
    showScan: (qr: string) => void;
    alert: (what: WechatAlert) => void;
  },
  config: WechatConfig,
) {
  const { chatLog, log, messages } = deps;
  const puppet = resolvePuppet(config);
  const people = createWechatPeople(deps);
  const spool = createWechatSpool(deps, path.join(config.folder, 'spool'));
  const choices = createWechatChoices(deps);
  const pace = createWechatPace({ ...deps, limitReached: () => deps.alert('limit') }, config);
  let handle: ReturnType<typeof createWechatHandler>['handle'] | undefined;
  let studio: Studio | undefined;
  let wasOut = false;

  const inbox: Inbox = createInbox(
    deps,
    'wechat',
    async (update) => {
      if (!handle) throw new ChannelAway('wechat');
      await handle(update);
    },
    () => session.status().state === 'running',
  );
  const intake = createWechatIntake({ ...deps, inbox, people, spool, acceptFriend });
  const session = createWechatSession(
    {
      log,
      events: {
        message: intake.take,
        friendship: intake.friendship,
        scan(qr) {
          deps.showScan(qr);
          if (wasOut) deps.alert('scan');
        },
        login() {
          if (wasOut) deps.alert('running');
          wasOut = false;
          // Whatever waited for a login.
          void inbox.catchUp();
        },
        logout() {
          wasOut = true;
          deps.alert('loggedOut');
        },
      },
    },
    { ...config, puppet, memory: path.join(config.folder, 'session') },
  );
  const sender = createWechatSender({
    ...{ ...deps, bot: session.bot, people, pace, choices },
    async replyWith(chatId, numbers) {
      const { personId } = placeOf(chatId);
      const alone = { channel: 'wechat' as const, chatId: personId };
      const language = (await studio?.identify(alone, personId, 'zh-CN'))?.language ?? 'zh-CN';
      return messages.text('bots.wechat.reply', language, { numbers });
    },
  });
  const channel = createWechatChannel({ ...deps, inbox: () => inbox, spool });

  async function acceptFriend(friendship: FriendshipInterface): Promise<boolean> {
    const { Type } = friendship.constructor as never as { Type: { Receive: number } };
    if (friendship.type() !== Type.Receive) return false;
    const { acceptFriends, friendKeyword } = config;
    if (!acceptFriends || (friendKeyword && !friendship.hello().includes(friendKeyword)))
      return false;
    await wait(randomInt(config.minPauseMs, config.maxPauseMs + 1));
    await friendship.accept();
    return true;
  }

  function connect(more: WechatDeps): WechatChannel {
    studio = more.studio;
    let albums: IncomingAlbums;
    const handler = createWechatHandler({
      ...{ ...more, messages, chatLog, sender, choices },
      albums: () => albums,
    });
    handle = handler.handle;
    const betweenMs = config.albumQuietMs;
    const rules = { channel: 'wechat', quietMs: betweenMs, betweenMs, ...albumRules } as const;
    albums = createIncomingAlbums(deps, rules, handler.albums);
    let cleaning: NodeJS.Timeout | undefined;
    return {
      ...{ channel, sender, status: session.status },
      async start() {
        await spool.clean();
        await albums.start();
        await inbox.start();
        session.start();
        cleaning = setInterval(spool.clean, cleanMs);
        cleaning.unref();
      },
      async stop() {
        clearInterval(cleaning);
        await intake.idle();
        await inbox.stop();
        await albums.stop();
        await sender.idle();
        await session.stop();
      },
    };
  }

  return { channel, sender, connect };
}
