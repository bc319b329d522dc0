import { CustomerUnreachable } from '../studio/errors/index.js';
import type { ChannelId, Language, Logger } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Customer, Studio } from '../studio/ports/studio.js';
import type { Reply } from './conversation/reply.js';
import { languageChosen, type Talk } from './conversation/talk.js';
import type { Door, Speaker } from './door.js';
import type { PrivateChats } from './private-chats.js';
import { RoomClosed } from './room-closed.js';
import type { Sender } from './sender.js';

/** Who is spoken with, and what is said where. */
export interface ChatTalks {
  /**
   * The customer who speaks, known or new.
   * @param key natural key of what they said.
   * @param alone the answer is nobody else's business: it goes to the person's own chat.
   */
  of(who: Speaker, key: string, alone?: boolean): Promise<Talk>;
  /** Somebody writes Chinese: from now on they are answered in it, unless they chose otherwise. */
  hears(who: Speaker, words: string, key: string): Promise<void>;
  /** Say replies where the talk is; files that were paid for never into a group. */
  reply(talk: Pick<Talk, 'customer' | 'chat'>, replies: readonly Reply[]): Promise<void>;
  /** Whoever blocked us is no fault. @param wish what was wanted, for the log. */
  reachable(wish: string, talk: () => Promise<void>): Promise<void>;
}

/** What the person's app tells, else the channel's. */
function languageOf({ languageCode }: Speaker, { language }: Pick<Door, 'language'>): Language {
  if (!languageCode) return language;
  return languageCode.startsWith('zh') ? 'zh-CN' : 'en';
}

/** Han characters, and none of the scripts that Japanese and Korean mix with them. */
function isChinese(words: string): boolean {
  return (
    /\p{Script=Han}/u.test(words) &&
    !/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(words)
  );
}

/** The talks of one channel. */
export function createChatTalks(
  deps: {
    studio: Pick<Studio, 'identify' | 'setLanguage'>;
    chatLog: Pick<ChatLog, 'state'>;
    sender: Sender;
    privateChats: PrivateChats;
    log: Logger;
  },
  door: Pick<Door, 'id' | 'groups' | 'language'>,
): ChatTalks {
  const { studio, privateChats, log } = deps;
  const { id: channel, groups } = door;

  async function of(who: Speaker, key: string, alone = false): Promise<Talk> {
    const isGroup = groups?.isGroup(who.chatId) === true;
    // News that are nobody else's business go to the person alone.
    const own = { channel, chatId: isGroup ? who.userId : who.chatId };
    const customer = await studio.identify(own, who.userId, languageOf(who, door));
    if (isGroup) await privateChats.remember(customer.id, own.chatId);
    return { customer, chat: alone ? own : { channel, chatId: who.chatId }, key };
  }

  return {
    of,
    async hears(who, words, key) {
      if (!isChinese(words)) return;
      const { customer } = await of(who, key);
      if (customer.language === 'zh-CN') return;
      if (await deps.chatLog.state(channel, customer.id, languageChosen)) return;
      await studio.setLanguage(customer.id, 'zh-CN');
    },
    async reply({ customer, chat: { chatId } }, replies) {
      for (const one of replies) {
        if (one.file) await privateChats.say(chatId, customer, [one]);
        else await sayThere({ ...deps, channel }, chatId, customer, one);
      }
    },
    async reachable(wish, talk) {
      try {
        await talk();
      } catch (error) {
        if (!(error instanceof CustomerUnreachable)) throw error;
        log.info('customer.unreachable', { channel, wish });
      }
    },
  };
}

/** Into the room, or to the person alone where the room is closed. */
async function sayThere(
  deps: { sender: Sender; privateChats: PrivateChats; log: Logger; channel: ChannelId },
  chatId: string,
  customer: Customer,
  reply: Reply,
): Promise<void> {
  try {
    await deps.sender.say(chatId, reply, customer.language);
  } catch (error) {
    if (!(error instanceof RoomClosed)) throw error;
    deps.log.info('chat.roomClosed', { channel: deps.channel });
    await deps.privateChats.sayInstead(customer, reply);
  }
}
