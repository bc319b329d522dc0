import { CustomerUnreachable } from '../studio/errors/index.js';
import type { Logger } from '../studio/ports/basics.js';
import type { Studio } from '../studio/ports/studio.js';
import type { Reply } from './conversation/reply.js';
import type { Talk } from './conversation/talk.js';
import type { Door, Speaker } from './door.js';
import type { PrivateChats } from './private-chats.js';
import type { Sender } from './sender.js';

/** Who is spoken with, and what is said where. */
export interface ChatTalks {
  /**
   * The customer who speaks, known or new.
   * @param key natural key of what they said.
   * @param alone the answer is nobody else's business: it goes to the person's own chat.
   */
  of(who: Speaker, key: string, alone?: boolean): Promise<Talk>;
  /** Say replies where the talk is; files that were paid for never into a group. */
  reply(talk: Pick<Talk, 'customer' | 'chat'>, replies: readonly Reply[]): Promise<void>;
  /** Whoever blocked us is no fault. @param wish what was wanted, for the log. */
  reachable(wish: string, talk: () => Promise<void>): Promise<void>;
}

/** The talks of one channel. */
export function createChatTalks(
  deps: {
    studio: Pick<Studio, 'identify'>;
    sender: Sender;
    privateChats: PrivateChats;
    log: Logger;
  },
  door: Pick<Door, 'id' | 'groups' | 'language'>,
): ChatTalks {
  const { studio, sender, privateChats, log } = deps;
  const { id: channel, groups } = door;

  function languageOf({ languageCode }: Speaker) {
    if (!languageCode) return door.language;
    return languageCode.startsWith('zh') ? 'zh-CN' : 'en';
  }

  return {
    async of(who, key, alone = false) {
      const isGroup = groups?.isGroup(who.chatId) === true;
      // News that are nobody else's business go to the person alone.
      const own = { channel, chatId: isGroup ? who.userId : who.chatId };
      const customer = await studio.identify(own, who.userId, languageOf(who));
      if (isGroup) await privateChats.remember(customer.id, own.chatId);
      return { customer, chat: alone ? own : { channel, chatId: who.chatId }, key };
    },
    async reply({ customer, chat: { chatId } }, replies) {
      for (const one of replies) {
        if (one.file) await privateChats.say(chatId, customer, [one]);
        else await sender.say(chatId, one, customer.language);
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
