import { randomInt } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { FriendshipInterface } from 'wechaty/impls';
import { ChannelAway } from '../../studio/errors/index.js';
import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { Blobs } from '../../studio/ports/blobs.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Abilities } from '../abilities.js';
import type { Intent } from '../conversation/intent.js';
import type { Door, GroupRules, Inward } from '../door.js';
import { placeOf } from './wechat-chat.js';
import { createWechatIntake, invitedMs, type WechatIntake } from './wechat-intake.js';
import { createWechatSend } from './wechat-messages.js';
import { createWechatPace, type WechatPaceConfig } from './wechat-pace.js';
import { heardOf, type WechatPayload } from './wechat-payload.js';
import { createWechatPeople } from './wechat-people.js';
import { type MissingModule, resolvePuppet, type WechatPuppetConfig } from './wechat-puppet.js';
import { createWechatSession, type WechatEvents, type WechatStatus } from './wechat-session.js';
import { createWechatSpool } from './wechat-spool.js';

/** The account, its habits and its puppet. */
export interface WechatConfig extends WechatPuppetConfig, WechatPaceConfig {
  /** Photos that follow each other within this are one album. */
  readonly albumQuietMs: number;
  readonly acceptFriends: boolean;
  /** Requests without this word wait for the operator; absent: all are accepted. */
  readonly friendKeyword?: string;
  /** Largest file that the puppet sends, bytes. */
  readonly uploadBytes: number;
  readonly graceMs: number;
  readonly reconnectMs: number;
}

/** What the operator should hear of: said in their own chat, wherever that is. */
export type WechatAlert = 'scan' | 'loggedOut' | 'running' | 'limit' | 'notLoaded';

/** What the door works with. */
export interface WechatDeps {
  readonly chatLog: ChatLog;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Logger;
  readonly showScan: (qr: string) => void;
  readonly alert: (what: WechatAlert, params?: Readonly<Record<string, string>>) => void;
}

/** The door, and how its login is. */
export interface WechatDoor extends Door {
  readonly status: () => WechatStatus;
}

const cleanMs = 3_600_000;
/** People write several short lines where one would do. */
const wordsPauseMs = 2_000;
/** WeChat's app sends nine pictures at most in one go. */
const albumRules = { gatherMaxMs: 20_000, batchPhotos: 9, marksGroups: false };

const abilities: Abilities = {
  ...{ buttonsMax: 0, edits: false, replies: false, picturesTogether: 1 },
  ...{ textMax: Number.POSITIVE_INFINITY, captionMax: 0, incomingCaptions: false },
};

/** What may be answered where others read along; everything else is answered alone. */
const forTheRoom: ReadonlySet<Intent['kind']> = new Set<Intent['kind']>([
  ...(['photos', 'variants', 'pick', 'adjust', 'setFinishing', 'choice', 'text'] as const),
]);

const rooms: GroupRules = {
  isGroup: (chatId) => placeOf(chatId).roomId !== undefined,
  aloneOf: (chatId) => placeOf(chatId).personId,
  answeredThere: forTheRoom,
  // Mentioned without a wish we know: photos are welcome now.
  hint: { messageKey: 'bots.wechat.sendNow', params: { minutes: invitedMs / 60_000 } },
};

/**
 * WeChat through a wechaty puppet: one account that everybody writes to.
 * @throws {WechatPuppetMissing | WechatTokenMissing}
 */
export function openWechatDoor(deps: WechatDeps, config: WechatConfig): WechatDoor {
  const puppet = resolvePuppet(config);
  const people = createWechatPeople(deps);
  const spool = createWechatSpool(deps, path.join(config.folder, 'spool'));
  const pace = createWechatPace({ ...deps, limitReached: () => deps.alert('limit') }, config);
  const memory = path.join(config.folder, 'session');
  const notLoaded = once((cause) => deps.alert('notLoaded', { ...cause }));
  const session = createWechatSession(deps.log, { ...config, puppet, memory, notLoaded });
  const betweenMs = config.albumQuietMs;
  let intake: WechatIntake | undefined;
  let cleaning: NodeJS.Timeout | undefined;
  return {
    id: 'wechat',
    abilities: { ...abilities, uploadLimitBytes: config.uploadBytes },
    wordsPauseMs: Math.min(wordsPauseMs, betweenMs / 3),
    ...{ keyPrefix: 'wx', language: 'zh-CN', newsWait: true, canBeBlocked: false },
    albums: { quietMs: betweenMs, betweenMs, ...albumRules },
    groups: rooms,
    status: session.status,
    check: () => checked(session.status().state),
    ready: () => session.status().state === 'running',
    async start(inward) {
      const acceptFriend = (friendship: FriendshipInterface) => accept(friendship, config);
      intake = createWechatIntake({ ...deps, inward, people, spool, acceptFriend });
      await spool.clean();
      await inward.open();
      session.start(eventsOf(deps, intake, inward));
      cleaning = setInterval(spool.clean, cleanMs);
      cleaning.unref();
    },
    async stop() {
      clearInterval(cleaning);
      await intake?.idle();
    },
    close: session.stop,
    understand: ({ payload, key }) => heardOf(payload as WechatPayload, key),
    async pace() {
      // Whoever is away is not asked for the day's count either.
      session.bot();
      await pace.turn();
    },
    send: createWechatSend({ ...deps, bot: session.bot, people }),
    fetchFile: (fileRef, file) => spool.take(fileRef, file),
  };
}

/** The operator is told once, not at every attempt. */
function once(tell: (cause: MissingModule) => void) {
  let told = false;
  return (cause: MissingModule) => {
    if (!told) tell(cause);
    told = true;
  };
}

/** What a login does, for the operator and for what waited. */
function eventsOf(
  { showScan, alert }: WechatDeps,
  intake: WechatIntake,
  inward: Inward,
): WechatEvents {
  let wasOut = false;
  return {
    message: intake.take,
    friendship: intake.friendship,
    scan(qr) {
      showScan(qr);
      if (wasOut) alert('scan');
    },
    login() {
      if (wasOut) alert('running');
      wasOut = false;
      // Whatever waited for a login.
      void inward.catchUp();
    },
    logout() {
      wasOut = true;
      alert('loggedOut');
    },
  };
}

async function accept(friendship: FriendshipInterface, config: WechatConfig): Promise<boolean> {
  const { Type } = friendship.constructor as never as { Type: { Receive: number } };
  if (friendship.type() !== Type.Receive) return false;
  const { acceptFriends, friendKeyword } = config;
  if (!acceptFriends || (friendKeyword && !friendship.hello().includes(friendKeyword)))
    return false;
  await wait(randomInt(config.minPauseMs, config.maxPauseMs + 1));
  await friendship.accept();
  return true;
}

/** @throws {ChannelAway} nobody is logged in. */
function checked(state: WechatStatus['state']): string {
  if (state === 'scan' || state === 'loggedOut') throw new ChannelAway('wechat');
  return state;
}
