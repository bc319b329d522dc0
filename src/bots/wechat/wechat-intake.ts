import { setTimeout as wait } from 'node:timers/promises';
import type { ContactInterface, FriendshipInterface, MessageInterface } from 'wechaty/impls';
import { StudioError } from '../../studio/errors/index.js';
import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { ChatLog } from '../../studio/ports/chat-log.js';
import type { Inward } from '../door.js';
import { Turns } from '../turns.js';
import { chatIdOf } from './wechat-chat.js';
import type { WechatPayload } from './wechat-payload.js';
import type { WechatPeople } from './wechat-people.js';
import type { WechatSpool } from './wechat-spool.js';

/** In a room, photos count for so long after the bot was mentioned. */
export const invitedMs = 300_000;
const invitedState = 'invitedUntil';
const fetchAttempts = 3;
const fetchBackoffMs = 1_000;

/** wechaty's MessageType and ContactType, which come with the whole of wechaty. */
const types = { attachment: 1, image: 6, text: 7 };
/** Sounds, cards, places, links: nothing to colour, but a person waits for an answer. */
const wordless = new Set([2, 3, 4, 8, 9, 14, 15]);
/** Money inside WeChat, which no puppet may take. */
const moneyTypes = new Map([
  [11, 'transfer'],
  [12, 'redPacket'],
] as const);
const official = 2;
const systemContacts = /^(?:gh_|weixin$|filehelper$|fmessage$|medianote$|newsapp$|floatbottle$)/;
const imageName = /\.(?:jpe?g|png|webp|avif|heic|heif|tiff?|bmp|gif)$/i;

/** Everything that wechaty's events bring. */
export interface WechatIntake {
  take(message: MessageInterface): void;
  friendship(friendship: FriendshipInterface): void;
  /** Resolves when everything received is written down. */
  idle(): Promise<void>;
}

/** Writes messages down in the order they came, per person, photos with their bytes. */
export function createWechatIntake(deps: {
  inward: Pick<Inward, 'receive'>;
  people: WechatPeople;
  spool: WechatSpool;
  chatLog: ChatLog;
  clock: Clock;
  log: Logger;
  acceptFriend: (friendship: FriendshipInterface) => Promise<boolean>;
}): WechatIntake {
  const turns = new Turns();
  const { people, chatLog, clock, log } = deps;

  async function record(key: string, payload: WechatPayload): Promise<void> {
    await deps.inward.receive({ key, chatKey: payload.chatId, payload });
  }

  async function receive(message: MessageInterface): Promise<void> {
    const talker = message.talker();
    if (message.self() || isSystem(talker)) return;
    const room = message.room();
    const personId = await people.personOf(talker);
    const chatId = chatIdOf({ personId, ...(room ? { roomId: room.id } : {}) });
    const from = { chatId, personId };
    const type = message.type() as number;
    if (type === types.text) {
      if (room && !(await message.mentionSelf())) return;
      if (room) await invite(chatId);
      const text = room ? await message.mentionText() : message.text();
      return record(message.id, { kind: 'text', text, ...from });
    }
    if (room && !(await isInvited(chatId))) return;
    if (type === types.image)
      return record(message.id, { ...(await photo(message, true)), ...from });
    if (type === types.attachment && imageName.test(message.text() || (await nameOf(message))))
      return record(message.id, { ...(await photo(message, false)), ...from });
    const what = moneyTypes.get(type as 11);
    if (what && !room) return record(message.id, { kind: 'money', what, ...from });
    const strange = type === types.attachment || wordless.has(type);
    if (strange && !room) await record(message.id, { kind: 'text', text: '', ...from });
  }

  /** Photos cannot mention anybody: whoever mentioned the bot may send some right after. */
  const invite = (chatId: string) =>
    chatLog.setState('wechat', chatId, invitedState, clock.now() + invitedMs);

  async function isInvited(chatId: string): Promise<boolean> {
    return ((await chatLog.state<number>('wechat', chatId, invitedState)) ?? 0) > clock.now();
  }

  /** Bytes are fetched at once: later the message cannot be asked any more. */
  async function photo(message: MessageInterface, compressed: boolean) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const box = await (compressed ? message.toImage().hd() : message.toFileBox());
        const saved = await deps.spool.save(message.id, await box.toStream());
        const named = compressed ? {} : { fileName: box.name };
        return { kind: 'photo', ...saved, compressed, ...named } as const;
      } catch (error) {
        if (error instanceof StudioError && error.retry === 'never') {
          const { messageKey, params } = error;
          return { kind: 'photoLost', messageKey, params } as const;
        }
        log.warn('wechat.photoNotFetched', { attempt });
        if (attempt >= fetchAttempts)
          return { kind: 'photoLost', messageKey: 'bots.wechat.notFetched', params: {} } as const;
        await wait(fetchBackoffMs * 2 ** (attempt - 1));
      }
    }
  }

  async function befriend(friendship: FriendshipInterface): Promise<void> {
    if (!(await deps.acceptFriend(friendship))) return;
    const personId = await people.personOf(friendship.contact());
    const chatId = chatIdOf({ personId });
    await record(`friend:${friendship.id}`, { kind: 'friend', chatId, personId });
  }

  /** One thing at a time per sender, so that a photo's download does not let words overtake it. */
  function inOrder(who: string, work: () => Promise<void>): void {
    turns.take(who, work).catch((error: unknown) => {
      log.error('wechat.notReceived', { fault: error instanceof Error ? error.name : 'unknown' });
    });
  }

  return {
    take: (message) => inOrder(message.talker().id, () => receive(message)),
    friendship: (friendship) => inOrder(friendship.contact().id, () => befriend(friendship)),
    idle: () => turns.idle(),
  };
}

function isSystem(contact: ContactInterface): boolean {
  return (contact.type() as number) === official || systemContacts.test(contact.id);
}

async function nameOf(message: MessageInterface): Promise<string> {
  return (await message.toFileBox().catch(() => undefined))?.name ?? '';
}
